/**
 * Gives the SHA-256 of bytes, or of a text in UTF-8, by the platform.
 *
 * @example
 * const app = createApp({ ...deps, sha256 })
 */
export function sha256(data: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const digest = new Uint8Array(32)
  Bun.SHA256.hash(data, digest)
  return digest
}
