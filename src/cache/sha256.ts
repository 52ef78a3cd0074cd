/** SHA-256 of bytes (FIPS 180-4). */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

const UTF_8 = new TextEncoder()
/** Where what is digested is put together; one serves for all, because a digest is made before anything else runs. */
const SCRATCH = new Uint8Array(64 * 1024)

/**
 * Gives the SHA-256 of a list of texts and a body behind them, in hex. Each text goes with its length, so that no two lists
 * come to the same bytes.
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
