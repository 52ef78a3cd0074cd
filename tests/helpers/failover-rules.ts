import { ATTEMPTS, type Fault, type FaultyCall, type Mode, SDK_RETRIES } from './failover-calls.ts'
import { type Arrival, isOfToldLength } from './faulty-upstreams.ts'

/** What the user of an SDK got of one call. */
export interface UserOutcome {
  readonly id: string
  /** All text that came. */
  readonly text: string
  /** The exception's name and status; null: none. */
  readonly error: string | null
}

/** What the gateway's log says of one request. */
export interface LoggedExchange {
  readonly attempts: number
  readonly tries: readonly { readonly status?: number; readonly why?: string }[]
}

/** All that is known of one call. */
export interface CallLog {
  readonly call: FaultyCall
  readonly arrivals: readonly Arrival[]
  /** In the order in which they ended. */
  readonly exchanges: readonly LoggedExchange[]
  readonly outcome: UserOutcome
}

/** Says which rules a call has broken, each as a sentence; none: an empty list. */
export function violationsOf(log: CallLog): string[] {
  return [...attemptViolations(log), ...answerViolations(log), ...textViolations(log), ...logViolations(log)].map(
    (what) => `${log.call.id}: ${what}`,
  )
}

function attemptViolations({ call, arrivals }: CallLog): string[] {
  const counts = arrivals.map(({ retryCount }) => retryCount)
  const found: string[] = []
  if (counts.some((count) => !(count >= 0 && count <= SDK_RETRIES))) found.push('an attempt has no retry count')
  for (const retry of new Set(counts)) {
    const made = counts.filter((count) => count === retry).length
    const allowed = retry === 0 ? ATTEMPTS : 1
    if (made > allowed) found.push(`${made} attempts for the SDK's try ${retry}, where ${allowed} are allowed`)
  }
  if (counts.some((count, index) => count < (counts[index - 1] ?? 0))) found.push('an attempt for a try that is over')
  // One retrier at a time: what an SDK's tries come to together is no more than one of them may.
  const inAll = isRepeatedUnheard(call) ? ATTEMPTS - 1 + SDK_RETRIES : ATTEMPTS
  if (counts.length > inAll) found.push(`${counts.length} attempts in all, where ${inAll} are allowed`)
  return found
}

/**
 * Python's SDK reads a whole answer within its try, and begins anew where that breaks off, whatever the headers said; one
 * that has told its length is held back by the gateway until it is whole. Node's has given it away by then.
 */
function isRepeatedUnheard(call: FaultyCall): boolean {
  return call.sdk === 'python' && isMidway(call) && !call.stream && !isOfToldLength(call)
}

function isMidway({ fault }: FaultyCall): boolean {
  return fault === 'reset_midway' || fault === 'stall_midway'
}

function answerViolations({ arrivals }: CallLog): string[] {
  const isFollowed = arrivals.some(
    ({ isAnswered, retryCount }, index) =>
      isAnswered && arrivals.slice(index + 1).some((later) => later.retryCount === retryCount && isSeenInTime(later)),
  )
  return isFollowed ? ['another attempt after the first byte of an answer'] : []
}

/** Of an attempt that was given up in silence, a busy machine may hear late; its place among the others is in the log. */
function isSeenInTime({ fault }: Arrival): boolean {
  return fault !== 'stall'
}

/** The whole text of one attempt, or where an error tells of the break, the beginning of one. */
function textViolations({ arrivals, outcome: { text, error } }: CallLog): string[] {
  const isWhole = arrivals.some((arrival) => arrival.text === text)
  if (error === null) return isWhole ? [] : [`no error, and this text: ${JSON.stringify(text)}`]
  if (text === '') return []
  const from = arrivals.find((arrival) => arrival.text.startsWith(text))
  if (from === undefined || isWhole) return [`${error}, and this text: ${JSON.stringify(text)}`]
  return from === arrivals.findLast(isSeenInTime) ? [] : ['another attempt after the user has seen text']
}

/** The log tells each attempt that came, and those that found nobody. */
function logViolations({ arrivals, exchanges }: CallLog): string[] {
  const found: string[] = []
  for (const [index, { attempts, tries }] of exchanges.entries()) {
    const allowed = index === 0 ? ATTEMPTS : 1
    if (attempts > allowed) found.push(`${attempts} attempts in the log for the SDK's try ${index}`)
    if (attempts !== tries.length) found.push(`${attempts} attempts in the log, and ${tries.length} tries`)
    const answered = tries.findIndex(({ status }) => status === 200)
    if (answered !== -1 && answered < tries.length - 1) found.push('a try in the log after an answer')
  }
  const tries = exchanges.flatMap((exchange) => exchange.tries)
  const sent = tries.filter(({ why }) => why !== 'connect').length
  // What is given up after its time may not even have been heard of on a busy machine.
  const unheard = tries.filter(({ why, status }) => why === 'timeout' && status === undefined).length
  if (arrivals.length > sent || arrivals.length < sent - unheard)
    found.push(`${arrivals.length} attempts came, and the log tells of ${sent}`)
  return found
}

/** Whether any attempt has met the call's fault. */
export function hasMetFault({ call, arrivals, exchanges }: CallLog): boolean {
  if (call.fault === 'refused') return exchanges.some(({ tries }) => tries.some(({ why }) => why === 'connect'))
  return arrivals.some(({ fault }) => fault === call.fault)
}

/** Whether a target would answer an attempt that follows the first. */
export function hasWellTarget({ place }: FaultyCall): boolean {
  return place === 'nowhere' || place === 'once' || place === 'first'
}

/** The faults that the gateway follows with another attempt. */
export const RETRIED: Readonly<Record<Mode, readonly Fault[]>> = {
  default: ['429', '503', 'refused'],
  widened: ['429', '503', 'refused', '500', 'reset', 'stall'],
}

/** What a call is to come to. */
export interface Expectation {
  readonly isAnswered: boolean
  /** How often the SDK has to begin anew. */
  readonly sdkRetries: number
}

/** Says what a call is to come to: wherever the rules allow another attempt at a target that is well, it is answered. */
export function expectationOf(call: FaultyCall): Expectation {
  const { fault, mode, place, sdk, stream } = call
  if (place === 'nowhere') return { isAnswered: true, sdkRetries: 0 }
  if (RETRIED[mode].includes(fault)) return { isAnswered: hasWellTarget(call), sdkRetries: 0 }
  const isInTheUsersHand = isMidway(call) && (stream || (sdk === 'node' && !isOfToldLength(call)))
  if (isInTheUsersHand) return { isAnswered: false, sdkRetries: 0 }
  // The gateway has tried again already, and the SDK is told not to; if it can hear that.
  if (place === 'late' && !isRepeatedUnheard(call)) return { isAnswered: false, sdkRetries: 0 }
  // At the SDK's second try one attempt is made: where that is refused, the SDK is told not to try again.
  if (place === 'early') return { isAnswered: false, sdkRetries: 1 }
  return place === 'once' ? { isAnswered: true, sdkRetries: 1 } : { isAnswered: false, sdkRetries: SDK_RETRIES }
}
