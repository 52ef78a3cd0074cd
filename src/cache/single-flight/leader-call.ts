import { isJsonWithin, SHORT_BYTES_MAX } from '../../answers/answer-kind.ts'
import { noteBody, silentMs } from '../../answers/body-note.ts'
import { readShort } from '../../answers/deliver-whole.ts'
import { passThrough } from '../../answers/pass-through.ts'
import { Tap } from '../../answers/tap.ts'
import { answerEndOf, type WatchedEnd } from '../../exchange/answer-end.ts'
import type { Exchange } from '../../exchange/exchange.ts'
import { createAttachment } from '../../formats/attachment.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Deadline, Deadlines } from '../../timing/deadlines.ts'
import type { FlightNote, ReuseRequest } from '../reuse-request.ts'
import type { CallResult } from './coalesced-call.ts'

/** What flying out needs. */
interface LeaderCallDeps {
  readonly deadlines: Deadlines
  /** Milliseconds, monotonic. */
  readonly now: () => number
}

/**
 * Asks the targets for all who wait for the answer: the call ends when the flight's controller is aborted, and not with the
 * exchange that began it. With `runsOn` it may be that nobody's clock runs any more, and so the limit on the whole is its own, too.
 */
export async function startLeaderCall(
  request: ReuseRequest,
  { abort, runsOn }: { readonly abort: AbortController; readonly runsOn: boolean },
  deps: LeaderCallDeps,
): Promise<CallResult<FlightNote>> {
  const { exchange, forward } = request
  const child = exchange.child({ abort })
  const stopTelling = reportWhenLeaderLeaves(exchange, child)
  try {
    const { answer, deployment } = await forward(child)
    const note = { deployment, shouldRetry: child.shouldRetry }
    if (answer.body === null) {
      child.end({ kind: 'complete' })
      return { answer, note }
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
      return { answer, note, whole: await readWhole(answer, child, idle) }
    const end = answerEndOf(child, answer, { isUpstreams: true, deadlines: deps.deadlines })
    return { answer: new Response(watchSharedBody(answer.body, child, { idle, end }), answer), note }
  } catch (cause) {
    child.end({ kind: 'failed', cause })
    if (child.shouldRetry === false) noteSpent(cause)
    throw cause
  } finally {
    stopTelling()
    child.report()
  }
}

/** None of those who wait for a short answer could begin with less than all of it, and so it passes through no stream. */
async function readWhole(answer: Response, child: Exchange, idle: Deadline): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const whole = await readShort(answer, child.abort.signal)
    child.end({ kind: 'complete' })
    return whole
  } finally {
    idle.clear()
  }
}

/** Whom the one who began it leaves before there is an answer has been asked all the same: its line of the log says so. */
function reportWhenLeaderLeaves(exchange: Exchange, child: Exchange): () => void {
  const { signal } = exchange.abort
  const tell = (): void => child.report()
  signal.addEventListener('abort', tell, { once: true })
  return () => signal.removeEventListener('abort', tell)
}

/**
 * Passes on the body of a call that is made for several: its end is the child's, and a break says what broke it to each who
 * reads it. Only for a reader within the program: the runtime prints the reason of a stream that it reads itself.
 *
 * Who cancels it with an error of ours, such as a clock that has run out, says who is to blame.
 *
 * @example
 * const body = watchSource(answer.body, child, { idle: deadlines.start(streamIdleMs, timeOut), end })
 */
function watchSharedBody(
  source: ReadableStream<Uint8Array>,
  child: Exchange,
  { idle, end }: { readonly idle: Deadline; readonly end: WatchedEnd | undefined },
): ReadableStream<Uint8Array> {
  const tap = new Tap({ idle, end, onEnd: (outcome) => child.end(outcome) })
  return passThrough(source, tap, {
    breakWith: (cause) => (child.outcome?.kind === 'failed' ? child.outcome.cause : cause),
    isFailure: (reason) => reason instanceof ApiError && reason.kind !== 'client_closed',
  })
}

/** Errors behind which the client's own retries would only repeat what has been tried. */
const spent = createAttachment<object, true>('spent')

/** Notes on an error that all who get it should not try again. */
function noteSpent(cause: unknown): void {
  if (typeof cause === 'object' && cause !== null) spent.set(cause, true)
}

/**
 * Waits for the answer of a flight, and has the exchange told whether its client should try again: it may be one of many who
 * get it.
 *
 * @example
 * const { answer, note } = await awaitFlight(joined.answer, exchange)
 */
export async function awaitResult(
  joining: Promise<CallResult<FlightNote>>,
  exchange: Pick<Exchange, 'shouldRetry'>,
): Promise<CallResult<FlightNote>> {
  try {
    const source = await joining
    exchange.shouldRetry ??= source.note.shouldRetry
    const { answer, whole } = source
    if (whole !== undefined) noteBody(answer, { whole })
    return source
  } catch (cause) {
    if (typeof cause === 'object' && cause !== null && spent.get(cause) === true) exchange.shouldRetry = false
    throw cause
  }
}
