import type { Exchange } from '../exchange/exchange.ts'
import type { MemoryBudget } from '../exchange/memory-budget.ts'
import { isJsonType } from '../formats/json/json-type.ts'
import { upstreamFailure } from '../upstream/failure.ts'

/** An answer of no more bytes is read at once, and not watched piece by piece. */
export const SHORT_BYTES_MAX = 64 * 1024

/**
 * Whether an answer says that it is JSON of at most `bytesMax` bytes: where that is little, nobody gains by getting it in pieces.
 *
 * @example
 * if (isJsonWithin(answer.headers, SHORT_BYTES_MAX)) return await readShort(answer, exchange.abort.signal)
 */
export function isJsonWithin(headers: Headers, bytesMax: number): boolean {
  const length = headers.get('content-length')
  return length !== null && Number(length) <= bytesMax && isJsonType(headers.get('content-type'))
}

/**
 * Whether there is memory for all of an answer of a told length, which counts from now on until its exchange ends, unless it is short.
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
 * Reads a short answer. Rejects with what the call was aborted with, or with the upstream's failure.
 *
 * @example
 * const whole = await readShort(answer, exchange.abort.signal)
 */
export async function readShort(answer: Response, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await answer.arrayBuffer())
  } catch (cause) {
    throw upstreamFailure(signal.aborted ? signal.reason : cause)
  }
}
