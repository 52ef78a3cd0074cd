import { isJsonWithin, refuseWrongKind, SHORT_BYTES_MAX } from '../../answers/answer-kind.ts'
import { silentMs } from '../../answers/body-note.ts'
import { readShort } from '../../answers/deliver-whole.ts'
import { passThrough } from '../../answers/pass-through.ts'
import { Tap, type TapWatch } from '../../answers/tap.ts'
import { watchUsage } from '../../answers/usage-reader.ts'
import { answerEndOf } from '../../exchange/answer-end.ts'
import type { Exchange } from '../../exchange/exchange.ts'
import { ignoreRejection } from '../../formats/ignore-rejection.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Ask, PreparedRequest } from '../../requests/prepared-request.ts'
import type { Deployment } from '../../routing/targets/deployment.ts'
import type { Deadline, Deadlines } from '../../timing/deadlines.ts'
import { type CallResult, markSpent } from './call-result.ts'

/** The dependencies of the leader's call. */
interface LeaderCallDeps {
  readonly deadlines: Deadlines
  /** Milliseconds, monotonic. */
  readonly now: () => number
}

/**
 * Asks the targets, for the leader and all who have joined its call. The call ends when its controller is aborted, and not with the
 * leader's exchange. With `runsOn` the call may outlive every exchange and their clocks, so that it gets the limit on the whole, too.
 *
 * @example
 * const start = (abort) => startLeaderCall(request, next, { abort, runsOn: false }, { deadlines, now })
 */
export async function startLeaderCall(
  request: PreparedRequest,
  next: Ask,
  { abort, runsOn }: { readonly abort: AbortController; readonly runsOn: boolean },
  deps: LeaderCallDeps,
): Promise<CallResult> {
  const { exchange } = request
  const child = exchange.child({ abort })
  const stopTelling = reportWhenLeaderLeaves(exchange, child)
  try {
    const { answer, deployment } = await askForAll(request.child(child), next)
    const about = { deployment, shouldRetry: child.shouldRetry }
    if (answer.body === null) {
      child.end({ kind: 'complete' })
      return { answer, ...about }
    }
    const timeOut = (): void => abort.abort(new ApiError('upstream_timeout'))
    if (runsOn) {
      const totalMs = request.totalMsOf(deployment)
      const leftMs = totalMs === 0 ? 0 : Math.max(1, exchange.startedAt + totalMs - deps.now())
      const total = deps.deadlines.start(leftMs, timeOut)
      child.atEnd(() => total.clear())
    }
    const idle = deps.deadlines.start(request.streamIdleMsOf(deployment), timeOut, silentMs(answer))
    if (isJsonWithin(answer.headers, Math.min(SHORT_BYTES_MAX, request.settings.cache.answerBytesMax)))
      return { answer, ...about, whole: await readWhole(answer, child, idle) }
    const end = answerEndOf(child, answer, { isUpstreams: true, deadlines: deps.deadlines })
    // Observers hear the usage from the exchanges that the answer is delivered to.
    const onChunk = watchUsage(child, answer, false)
    return { answer: new Response(watchSharedBody(answer.body, child, { idle, end, onChunk }), answer), ...about }
  } catch (cause) {
    child.end({ kind: 'failed', cause })
    if (child.shouldRetry === false) markSpent(cause)
    throw cause
  } finally {
    stopTelling()
    child.report()
  }
}

/** Asks for an answer that several requests may get. An answer of the wrong kind is refused before anybody waits for its body. */
async function askForAll(
  request: PreparedRequest,
  ask: Ask,
): Promise<{ readonly answer: Response; readonly deployment: Deployment }> {
  const answer = await ask(request)
  try {
    refuseWrongKind(request.exchange, answer)
  } catch (refusal) {
    void ignoreRejection(answer.body?.cancel())
    throw refusal
  }
  const { deployment } = request
  if (deployment === undefined) throw new Error('An answer came from nowhere.')
  return { answer, deployment }
}

/** Reads a short answer whole: no reader could begin with a part of it, so that it needs no stream. */
async function readWhole(answer: Response, child: Exchange, idle: Deadline): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const whole = await readShort(answer, child.abort.signal)
    watchUsage(child, answer, false)?.(whole)
    child.end({ kind: 'complete' })
    return whole
  } finally {
    idle.clear()
  }
}

/** Tells the leader's exchange of the attempts when its client leaves: its line of the log shows them, though the call goes on. */
function reportWhenLeaderLeaves(exchange: Exchange, child: Exchange): () => void {
  const { signal } = exchange.abort
  const tell = (): void => child.report()
  signal.addEventListener('abort', tell, { once: true })
  return () => signal.removeEventListener('abort', tell)
}

/**
 * Passes on the body of a coalesced call. The child ends with the body, and each reader of a body that breaks off gets the cause. Only for
 * readers within this program: the runtime prints the cause where it reads such a stream itself.
 *
 * A reader that cancels the body with an error of ours, such as a deadline's, says by it that the call has failed.
 */
function watchSharedBody(
  source: ReadableStream<Uint8Array>,
  child: Exchange,
  { idle, end, onChunk }: Pick<TapWatch, 'end' | 'onChunk'> & { readonly idle: Deadline },
): ReadableStream<Uint8Array> {
  const tap = new Tap({ idle, end, onChunk, onEnd: (outcome) => child.end(outcome) })
  return passThrough(source, tap, {
    breakWith: (cause) => (child.outcome?.kind === 'failed' ? child.outcome.cause : cause),
    isFailure: (reason) => reason instanceof ApiError && reason.kind !== 'client_closed',
  })
}
