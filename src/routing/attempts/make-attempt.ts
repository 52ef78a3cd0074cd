import type { RetryCause } from '../../config/sections/retry.ts'
import type { Exchange } from '../../exchange/exchange.ts'
import { ApiError } from '../../openai/api-error.ts'
import { followAbort } from '../../timing/follow-abort.ts'
import { StaleConnection, upstreamFailure } from '../../upstream/failure.ts'
import type { CallReport } from '../health/call-report.ts'
import type { Deployment } from '../targets/deployment.ts'
import type { Attempt, AttemptDeps } from './attempt.ts'
import { failureOf } from './failure-of.ts'
import { type AnswerVerdict, judgeAnswer } from './judge-answer.ts'
import { parseRetryAfter } from './retry-after.ts'
import { noteFailure } from './sent-call.ts'
import { warnOfKey } from './warn-of-key.ts'

/** The outcome of one attempt. */
export interface AttemptOutcome {
  readonly deployment: Deployment
  /** The upstream's answer, which may be a failure. */
  readonly answer: Response | undefined
  /** Why there is no answer. */
  readonly error: ApiError | undefined
  /**
   * Why the attempt counts as failed; undefined: it does not, or the upstream did not cause it. `busy`: no place was free.
   * `key_refused`: the upstream refused the server's key.
   */
  readonly cause: RetryCause | 'busy' | 'key_refused' | undefined
  /** The upstream has said that it made nothing of the request: asking another target can't bill twice. */
  readonly isUnbilled: boolean
  readonly retryAfterMs: number | undefined
  /** From the call's start to the answer's headers, where there is an answer. */
  readonly ms: number | undefined
  /** Gives back the attempt's place at the upstream; to be called once, when the answer is over, or the upstream has broken it off. */
  readonly end: (isBroken?: boolean) => void
}

/** The reason that ends the slower of two attempts. */
const LOST = new ApiError('client_closed')

/**
 * Makes one attempt at a deployment: waits for a place, sends, and reports the outcome to the deployment's health and the exchange.
 *
 * Does not reject for anything that the upstream, the client or a clock does.
 */
export function makeAttempt(attempt: Attempt, deps: AttemptDeps): Promise<AttemptOutcome> {
  const { deployment, call } = attempt
  attempt.begunAt = deps.now()
  const turnAway = (thrown: unknown): AttemptOutcome => {
    const error = upstreamFailure(thrown)
    note(attempt, error.kind, deps)
    return failed(attempt, error, attempt.exchange.abort.signal.aborted ? undefined : 'busy')
  }
  try {
    const entering = deployment.limiter.enter(call.abort.signal)
    if (!(entering instanceof Promise)) return send(attempt, entering, deps)
    return entering.then((release) => send(attempt, release, deps), turnAway)
  } catch (thrown) {
    return Promise.resolve(turnAway(thrown))
  }
}

/** Ends the slower of two attempts. */
export function loseAttempt(attempt: Attempt, deps: AttemptDeps): void {
  // The exchange may be over before the runtime reports the end of the call.
  note(attempt, 'lost', deps)
  if (attempt.sent !== undefined) attempt.sent.endedAt ??= deps.now()
  attempt.call.abort.abort(LOST)
}

/** Makes a controller for one attempt: it is aborted with the exchange, and aborting it leaves the exchange alone. */
export function ownAbort(exchange: Exchange): AbortController {
  const { abort, stop } = followAbort(exchange.abort.signal)
  exchange.atEnd(stop)
  return abort
}

async function send(attempt: Attempt, release: (() => void) | undefined, deps: AttemptDeps): Promise<AttemptOutcome> {
  const { exchange, deployment, call } = attempt
  const begun = deployment.health.begin(call.account, call.spentKey !== undefined)
  const end = (isBroken?: boolean): void => {
    begun.ended(isBroken)
    release?.()
  }
  exchange.attempts += 1
  exchange.upstream = deployment.upstream.name
  const sentAt = deps.now()
  attempt.begunAt = sentAt
  // While the client still sends, the wait is not for the target.
  let waitedFrom: number | undefined = sentAt
  if (call.body instanceof ReadableStream) {
    waitedFrom = undefined
    exchange.onceArrived((at) => {
      waitedFrom = Math.max(at, sentAt)
    })
  }
  const sent = call.watch?.onSend(deployment, sentAt)
  attempt.sent = sent
  try {
    const sending = deps.send(call)
    exchange.connection = call.connection
    const answer = await sending
    const ms = deps.now() - sentAt
    const { status } = answer
    if (sent !== undefined && status >= 400) sent.isBilled = false
    const retryAfterMs = status >= 400 ? parseRetryAfter(answer.headers, Date.now()) : undefined
    const judging = judgeAnswer(attempt, answer, deps)
    const judged = judging instanceof Promise ? await judging : judging
    if (sent !== undefined && judged.cause !== undefined) sent.isBilled = false
    tell(begun, judged, { deployment, status, ms, retryAfterMs }, deps)
    note(attempt, judged.why, deps, status)
    if (judged.answer === undefined) end()
    const { error, cause, isUnbilled } = judged
    return { deployment, answer: judged.answer, error, cause, isUnbilled, retryAfterMs, ms, end }
  } catch (thrown) {
    const error = upstreamFailure(thrown)
    const cause = failureOf(error, exchange.abort.signal)
    noteFailure(sent, error, deps.now())
    // A client's deadline is no measure of the target, unless the target answers nobody.
    if (error.kind === 'client_deadline' && waitedFrom !== undefined) begun.outwaited(deps.now() - waitedFrom)
    // A stale connection may have been closed before the call came, and a lack of connections is this server's own: the target did
    // not fail.
    else if (cause === undefined || error.cause instanceof StaleConnection || error.kind === 'out_of_connections')
      begun.abandoned()
    else begun.failed()
    end()
    note(attempt, String(cause ?? error.kind), deps)
    return failed(attempt, error, cause)
  }
}

/** Reports an answer to the deployment's health, and a refused key to the operator. */
function tell(
  begun: CallReport,
  { cause, key, why }: AnswerVerdict,
  {
    deployment,
    status,
    ms,
    retryAfterMs,
  }: { deployment: Deployment; status: number; ms: number; retryAfterMs: number | undefined },
  { log }: AttemptDeps,
): void {
  if (key !== undefined) warnOfKey(deployment, { status, restMs: begun.refused(), isSpent: key === 'spent' }, log)
  // A redirect comes of the base URL, or of a caller's path: it is no outage.
  else if (cause === 'invalid' && status >= 300 && status < 400) begun.abandoned()
  else if (cause === 'invalid') begun.failed()
  else begun.answered(why === 'error_inside' && typeof cause === 'number' ? cause : status, ms, retryAfterMs)
}

function failed({ deployment }: Attempt, error: ApiError, cause: AttemptOutcome['cause']): AttemptOutcome {
  return { deployment, answer: undefined, error, cause, isUnbilled: false, ...NOTHING_CAME }
}

const NOTHING_CAME = { retryAfterMs: undefined, ms: undefined, end(): void {} } as const

function note(attempt: Attempt, why: string | undefined, { now }: AttemptDeps, status?: number): void {
  const { exchange, deployment, begunAt, isNoted } = attempt
  if (isNoted === true) return
  attempt.isNoted = true
  const at = now()
  exchange.onAttempt({ target: deployment.label, status, ms: Math.round(at - (begunAt ?? at)), why })
}
