import { joinBytes } from '../bytes/join-bytes.ts'
import { Slice } from '../timing/slices.ts'

/** So much is put together at once. */
const AT_ONCE_BYTES_MAX = 4 * 1024 * 1024

/**
 * Makes one array of several; a long one in slices, so that others get their turn.
 *
 * @example
 * const whole = await joinInSlices(pieces, bytes)
 */
export async function joinInSlices(
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
