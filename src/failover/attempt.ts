import type { RetryCause } from '../config/settings.ts'
import { wrongKindOf } from '../deliver.ts'
import type { Exchange } from '../exchange.ts'
import { ApiError } from '../openai/api-error.ts'
import type { JsonEndpoint } from '../openai/endpoints.ts'
import { parseRetryAfter } from '../router/retry.ts'
import type { Lane } from '../router/router.ts'
import { StaleConnection, upstreamFailure } from '../upstream/failure.ts'
import type { Send, UpstreamCall } from '../upstream/send.ts'
import { failureOf } from './failure-of.ts'

/** One call as it goes to one lane. */
export interface LaneCall extends UpstreamCall {
  /** The server's key, where this call spends it: an answer that echoes it is masked. */
  readonly secret: string | undefined
}

/** What is to be attempted, and what becomes known of it on the way. */
export interface Attempt {
  readonly exchange: Exchange
  readonly endpoint: JsonEndpoint | undefined
  readonly lane: Lane
  readonly call: LaneCall
  /** When it began to wait for a place, then when it was sent, in the time of `now`. */
  begunAt?: number
  /** Whether it is among the exchange's tries, where each is once. */
  isNoted?: boolean
}

/** What an attempt is made with. */
export interface AttemptDeps {
  readonly send: Send
  /** Milliseconds, monotonic. */
  readonly now: () => number
}

/** How an attempt went. */
export interface Attempted {
  readonly lane: Lane
  /** The server's key, where the call spent it. */
  readonly secret: string | undefined
  /** The upstream's answer, also one that is a failure. */
  readonly answer: Response | undefined
  /** Why there is no answer. */
  readonly error: ApiError | undefined
  /** Why it counts as failed; undefined: it does not, or it was none of the upstream's doing. `busy`: no place was free. */
  readonly cause: RetryCause | 'busy' | undefined
  readonly retryAfterMs: number | undefined
  /** From the call's start to the answer's headers, where there is an answer. */
  readonly ms: number | undefined
  /** Lets go of its place at the upstream; to be called once, when its answer is over, or broken by the upstream. */
  readonly end: (isBroken?: boolean) => void
}

/** Why the slower of two attempts ends. */
const LOST = new ApiError('client_closed')

/**
 * Makes one attempt at a lane: waits for a place, sends, and tells the lane's health and the exchange how it went.
 *
 * Does not reject for what the upstream, the client or a clock does.
 */
export function attempt(attempted: Attempt, deps: AttemptDeps): Promise<Attempted> {
  const { lane, call } = attempted
  attempted.begunAt = deps.now()
  const turnAway = (thrown: unknown): Attempted => {
    const error = upstreamFailure(thrown)
    note(attempted, error.kind, deps)
    return failed(attempted, error, call.abort.signal.aborted ? undefined : 'busy')
  }
  try {
    const entering = lane.gate.enter(call.abort.signal)
    if (!(entering instanceof Promise)) return send(attempted, entering, deps)
    return entering.then((release) => send(attempted, release, deps), turnAway)
  } catch (thrown) {
    return Promise.resolve(turnAway(thrown))
  }
}

/** Ends an attempt that another one was quicker than. */
export function lose(attempted: Attempt, deps: AttemptDeps): void {
  // The exchange may be over before the runtime tells that the call is.
  note(attempted, 'lost', deps)
  attempted.call.abort.abort(LOST)
}

async function send(attempted: Attempt, release: (() => void) | undefined, deps: AttemptDeps): Promise<Attempted> {
  const { exchange, lane, call } = attempted
  const begun = lane.health.begin()
  const end = (isBroken?: boolean): void => {
    begun.ended(isBroken)
    release?.()
  }
  exchange.attempts += 1
  exchange.upstream = lane.upstream.name
  const sentAt = deps.now()
  attempted.begunAt = sentAt
  try {
    const answer = await deps.send(call)
    const ms = deps.now() - sentAt
    const { status } = answer
    const isWrong = wrongKindOf(exchange, attempted.endpoint, answer) !== undefined
    const retryAfterMs = status >= 400 ? parseRetryAfter(answer.headers, Date.now()) : undefined
    if (isWrong) begun.failed()
    else begun.answered(status, ms, retryAfterMs)
    note(attempted, isWrong ? 'invalid' : undefined, deps, status)
    const cause = isWrong ? 'invalid' : status >= 400 ? status : undefined
    return { lane, secret: call.secret, answer, error: undefined, cause, retryAfterMs, ms, end }
  } catch (thrown) {
    const error = upstreamFailure(thrown)
    const cause = failureOf(error, exchange.abort.signal)
    // What broke may have been no more when the call came: that is not the target's failure.
    if (cause === undefined || error.cause instanceof StaleConnection) begun.abandoned()
    else begun.failed()
    end()
    note(attempted, String(cause ?? error.kind), deps)
    return failed(attempted, error, cause)
  }
}

function failed({ lane, call }: Attempt, error: ApiError, cause: Attempted['cause']): Attempted {
  const { secret } = call
  return { lane, secret, answer: undefined, error, cause, retryAfterMs: undefined, ms: undefined, end: nothing }
}

function nothing(): void {}

function note(attempted: Attempt, why: string | undefined, { now }: AttemptDeps, status?: number): void {
  const { exchange, lane, begunAt, isNoted } = attempted
  if (exchange.tries === undefined || isNoted === true) return
  attempted.isNoted = true
  const at = now()
  exchange.tries.push({ target: lane.label, status, ms: Math.round(at - (begunAt ?? at)), why })
}
