import { GatheredBytes } from '../formats/bytes/gathered-bytes.ts'
import { joinBytes } from '../formats/bytes/join-bytes.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { ApiError } from '../openai/api-error.ts'
import { Slice } from '../timing/slices.ts'
import type { Held, MemoryBudget } from './memory-budget.ts'

/** How much of a body is held. */
export interface ReadLimits {
  /** A longer one is refused. */
  readonly bytesMax: number
  readonly memory: MemoryBudget
}

/** A body of this length or less is not counted: one read of a socket brings as much. */
export const UNCOUNTED_BYTES_MAX = 64 * 1024
/** The most bytes that are joined in one slice. */
const AT_ONCE_BYTES_MAX = 4 * 1024 * 1024

/**
 * Gathers a stream into one array; a stream of one chunk is not copied. `held` counts bodies above `UNCOUNTED_BYTES_MAX`.
 *
 * @example
 * const bytes = await collect(request.body.stream(), bytesMax, memory.hold(exchange))
 */
export async function collect(
  stream: ReadableStream<Uint8Array>,
  bytesMax: number,
  held?: Held,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader()
  const gathered = new GatheredBytes()
  for (;;) {
    const { done, value } = await reader.read()
    const { byteLength } = gathered
    if (done) return joinInSlices(gathered.take(), byteLength)
    const bytes = byteLength + value.byteLength
    try {
      if (bytes > bytesMax) throw tooLarge(bytesMax)
      if (bytes > UNCOUNTED_BYTES_MAX) held?.add(value.byteLength)
    } catch (refusal) {
      await ignoreRejection(reader.cancel())
      throw refusal
    }
    gathered.add(value as Uint8Array<ArrayBuffer>)
  }
}

/** Makes one array of several; a long one in slices, so that others get their turn. */
async function joinInSlices(
  parts: readonly Uint8Array<ArrayBuffer>[],
  bytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return only
  if (bytes <= AT_ONCE_BYTES_MAX) return joinBytes(parts)
  const slice = new Slice()
  const joined = new Uint8Array(bytes)
  let at = 0
  for (const part of parts) {
    if (slice.isOver()) await slice.rest()
    joined.set(part, at)
    at += part.byteLength
  }
  return joined
}

/** The refusal of a body over a limit, with the limit in OpenAI's words. */
export function tooLarge(bytesMax: number): ApiError {
  return new ApiError('request_too_large', { message: `Maximum content size limit (${bytesMax}) exceeded.` })
}
