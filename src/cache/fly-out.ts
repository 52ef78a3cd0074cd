import { silentMs } from '../answers/body-note.ts'
import { isJsonWithin, readShort, SHORT_BYTES_MAX } from '../answers/short-answer.ts'
import { answerEndOf } from '../exchange/answer-end.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { type Fork, forkExchange } from '../exchange/fork-exchange.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Deadline, Deadlines } from '../timing/deadlines.ts'
import { noteSpent } from './await-flight.ts'
import type { Source } from './flight.ts'
import type { FlightNote, ReuseRequest } from './reuse-request.ts'
import { watchSource } from './watch-source.ts'

/** What flying out needs. */
export interface FlyOutDeps {
  readonly deadlines: Deadlines
  /** Milliseconds, monotonic. */
  readonly now: () => number
}

/**
 * Asks the targets for all who wait for the answer: the call ends when the flight's controller is aborted, and not with the
 * exchange that began it. With `runsOn` it may be that nobody's clock runs any more, and so the limit on the whole is its own, too.
 */
export async function flyOut(
  request: ReuseRequest,
  { abort, runsOn }: { readonly abort: AbortController; readonly runsOn: boolean },
  deps: FlyOutDeps,
): Promise<Source<FlightNote>> {
  const { exchange, forward } = request
  const fork = forkExchange(exchange, { abort })
  const stopTelling = tellWhoLeaves(exchange, fork)
  try {
    const { answer, deployment } = await forward(fork)
    const note = { deployment, shouldRetry: fork.shouldRetry }
    if (answer.body === null) {
      fork.end({ kind: 'complete' })
      return { answer, note }
    }
    const timeOut = (): void => abort.abort(new ApiError('upstream_timeout'))
    if (runsOn) {
      const totalMs = request.totalMsOf(deployment)
      const leftMs = totalMs === 0 ? 0 : Math.max(1, exchange.startedAt + totalMs - deps.now())
      const total = deps.deadlines.start(leftMs, timeOut)
      fork.atEnd(() => total.clear())
    }
    const idle = deps.deadlines.start(request.streamIdleMsOf(deployment), timeOut, silentMs(answer))
    if (isJsonWithin(answer.headers, Math.min(SHORT_BYTES_MAX, request.settings.cache.answerBytesMax)))
      return { answer, note, whole: await readWhole(answer, fork, idle) }
    const end = answerEndOf(fork, answer, { isUpstreams: true, deadlines: deps.deadlines })
    return { answer: new Response(watchSource(answer.body, fork, { idle, end }), answer), note }
  } catch (cause) {
    fork.end({ kind: 'failed', cause })
    if (fork.shouldRetry === false) noteSpent(cause)
    throw cause
  } finally {
    stopTelling()
    fork.tell(exchange)
  }
}

/** None of those who wait for a short answer could begin with less than all of it, and so it passes through no stream. */
async function readWhole(answer: Response, fork: Fork, idle: Deadline): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const whole = await readShort(answer, fork.abort.signal)
    fork.end({ kind: 'complete' })
    return whole
  } finally {
    idle.clear()
  }
}

/** Whom the one who began it leaves before there is an answer has been asked all the same: its line of the log says so. */
function tellWhoLeaves(exchange: Exchange, fork: Fork): () => void {
  const { signal } = exchange.abort
  const tell = (): void => fork.tell(exchange)
  signal.addEventListener('abort', tell, { once: true })
  return () => signal.removeEventListener('abort', tell)
}
