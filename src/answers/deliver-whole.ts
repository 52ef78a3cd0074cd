import { collect } from '../exchange/collect-bytes.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { MemoryBudget } from '../exchange/memory-budget.ts'
import { causeOf, type Outcome } from '../exchange/outcome.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Deadline, Deadlines } from '../timing/deadlines.ts'
import { upstreamFailure } from '../upstream/failure.ts'
import type { AnswerIds } from './answer-ids.ts'
import { SHORT_BYTES_MAX } from './answer-kind.ts'
import { noteBody, silentMs, standalone, wholeOf } from './body-note.ts'
import { passThrough } from './pass-through.ts'
import type { ModelRewriter } from './report-model.ts'
import { Tap } from './tap.ts'
import { watchUsage } from './usage-reader.ts'

/** The most bytes of a body that is collected before its status is sent, so that a cut one can still be a 502. */
export const WHOLE_BYTES_MAX = 1024 * 1024

/** The functions that watch a body. */
export interface Watching {
  readonly idle: Deadline
  readonly onFirstChunk: () => void
  readonly onChunk: ((chunk: Uint8Array) => void) | undefined
}

/** Starts to watch an answer's body: its pauses, its first chunk, and the ids and the usage in it. */
export function watchBody(
  exchange: Exchange,
  answer: Response,
  streamIdleMs: number,
  objects: AnswerIds | undefined,
  deadlines: Deadlines,
): Watching {
  const timeOut = (): void => exchange.abort.abort(new ApiError('upstream_timeout'))
  const onUsageChunk = watchUsage(exchange, answer)
  return {
    idle: deadlines.start(streamIdleMs, timeOut, silentMs(answer)),
    onFirstChunk: () => exchange.onFirstByte(),
    onChunk: both(objects?.add, onUsageChunk),
  }
}

function both<A>(one: ((told: A) => void) | undefined, other: ((told: A) => void) | undefined): typeof one {
  if (one === undefined || other === undefined) return one ?? other
  return (told) => {
    one(told)
    other(told)
  }
}

/**
 * Gives the response when all of its body has come. Rejects with the upstream's failure if the body breaks off.
 *
 * `names` changes the body, and `objects` searches it; undefined: neither is done.
 */
export async function deliverWhole(
  exchange: Exchange,
  given: Response,
  watching: Watching,
  names: ModelRewriter | undefined,
  objects: AnswerIds | undefined,
): Promise<Response> {
  const answer = standalone(given)
  const { headers } = answer
  const bytesMax = wholeOf(given) === undefined ? WHOLE_BYTES_MAX : Number.POSITIVE_INFINITY
  const isSmall = Number(headers.get('content-length') ?? Number.POSITIVE_INFINITY) <= SHORT_BYTES_MAX
  try {
    const whole = isSmall
      ? new Uint8Array(await answer.arrayBuffer())
      : await collectWatched(answer.body, watching, bytesMax)
    if (isSmall) {
      watching.onFirstChunk()
      watching.onChunk?.(whole)
    }
    if (objects?.isLate === true) await objects.end()
    if (names === undefined) return noteBody(answer, { whole })
    const named = names.whole(whole)
    headers.set('content-length', String(named.byteLength))
    return noteBody(answer, { whole: named })
  } catch (thrown) {
    throw thrown instanceof ApiError ? thrown : upstreamFailure(causeOf(exchange.abort.signal, thrown))
  } finally {
    watching.idle.clear()
  }
}

/** Collects a body that is watched chunk by chunk: it may take long if it never pauses for long. */
async function collectWatched(
  body: ReadableStream<Uint8Array> | null,
  watching: Watching,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (body === null) return new Uint8Array()
  let broken: unknown
  const onEnd = (outcome: Outcome): void => {
    if (outcome.kind === 'failed') broken = outcome.cause
  }
  try {
    return await collect(passThrough(body, new Tap({ ...watching, onEnd })), bytesMax)
  } catch (thrown) {
    // A tapped body breaks without a reason, because the tap tells its watcher. A break with a reason is the limit's.
    throw thrown === undefined ? broken : new ApiError('upstream_invalid_response', { cause: thrown })
  }
}

/**
 * Whether there is memory for a whole answer of known length. A long one counts as held from now until its exchange ends.
 *
 * @example
 * const isWhole = isJsonWithin(headers, WHOLE_BYTES_MAX) && hasRoom(headers, exchange, deps.reading)
 */
export function hasRoom(headers: Headers, exchange: Exchange, { memory }: { readonly memory: MemoryBudget }): boolean {
  const length = Number(headers.get('content-length'))
  if (length <= SHORT_BYTES_MAX) return true
  if (!memory.take(length)) return false
  exchange.atEnd(() => memory.give(length))
  return true
}

/**
 * Reads a short answer. Rejects with the reason of the call's abort, or with the upstream's failure.
 *
 * @example
 * const whole = await readShort(answer, exchange.abort.signal)
 */
export async function readShort(answer: Response, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await answer.arrayBuffer())
  } catch (cause) {
    throw upstreamFailure(causeOf(signal, cause))
  }
}
