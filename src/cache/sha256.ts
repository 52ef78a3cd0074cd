/** SHA-256 of bytes (FIPS 180-4). */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

const UTF_8 = new TextEncoder()

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
  if (typeof body === 'string') return sha256(UTF_8.encode(`${head}text:${body}`)).toHex()
  const front = UTF_8.encode(`${head}bytes:`)
  const bytes = new Uint8Array(front.byteLength + body.byteLength)
  bytes.set(front)
  bytes.set(body, front.byteLength)
  return sha256(bytes).toHex()
}
