/** SHA-256 of bytes (FIPS 180-4). */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

const UTF_8 = new TextEncoder()
/** The memory in which the input of a digest is put together; one serves for all, because a digest is made before anything else runs. */
const SCRATCH = new Uint8Array(64 * 1024)

/**
 * Gives the SHA-256 of a list of texts and a body behind them, in hex. Each text is digested with its length, so that no two lists
 * give the same bytes.
 *
 * @example
 * const id = digestOf(['idempotency', scope, name], '', sha256)
 */
export function digestOf(texts: readonly string[], body: string | Uint8Array, sha256: Sha256): string {
  let head = `${texts.length};`
  for (const text of texts) head += `${text.length}:${text}`
  const isText = typeof body === 'string'
  head += isText ? `text:${body}` : 'bytes:'
  const bodyBytes = isText ? 0 : body.byteLength
  // A character takes three bytes at the most.
  const bytes = head.length * 3 + bodyBytes > SCRATCH.byteLength ? new Uint8Array(head.length * 3 + bodyBytes) : SCRATCH
  const { written } = UTF_8.encodeInto(head, bytes)
  if (!isText) bytes.set(body, written)
  return sha256(bytes.subarray(0, written + bodyBytes)).toHex()
}

/** A body of more bytes is digested in pieces, so that other requests get their turn in between. */
export const LONG_BODY_BYTES = 64 * 1024
/** A piece of this size takes less than a millisecond to digest. */
const PIECE_BYTES = 256 * 1024
const DIGEST_BYTES = 32

/**
 * Gives the same for a body that may be long: a long one counts by the digests of its pieces and its length. Rests between the pieces.
 *
 * @example
 * const id = await inSlices(digestInSteps(['key', path], body, sha256))
 */
export function* digestInSteps(
  texts: readonly string[],
  body: string | Uint8Array,
  sha256: Sha256,
): Generator<void, string, void> {
  const { length } = body
  if (length <= LONG_BODY_BYTES) return digestOf(texts, body, sha256)
  const digests = new Uint8Array(DIGEST_BYTES * Math.ceil(length / (PIECE_BYTES - 1)))
  let count = 0
  for (let from = 0; from < length; count += 1) {
    const to = typeof body === 'string' ? pieceEnd(body, from) : Math.min(from + PIECE_BYTES, length)
    const piece = typeof body === 'string' ? UTF_8.encode(body.slice(from, to)) : body.subarray(from, to)
    digests.set(sha256(piece), DIGEST_BYTES * count)
    from = to
    yield
  }
  const form = `${typeof body === 'string' ? 'text' : 'bytes'} of ${length} in pieces`
  return digestOf([...texts, form], digests.subarray(0, DIGEST_BYTES * count), sha256)
}

/** The end of a piece never divides a surrogate pair: each half alone would give the same bytes as any other. */
function pieceEnd(text: string, from: number): number {
  const end = from + PIECE_BYTES
  if (end >= text.length) return text.length
  const isHalf = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800
  return isHalf ? end - 1 : end
}
