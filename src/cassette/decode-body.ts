const CODINGS: ReadonlyMap<string, Bun.CompressionFormat> = new Map([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'brotli'],
  ['zstd', 'zstd'],
])

/** No recorded body is larger. */
export const BODY_BYTES_MAX = 64 * 1024 * 1024

/**
 * Gives a body without its `Content-Encoding`; undefined where it has one that is not known or not true, or decodes to more
 * than `BODY_BYTES_MAX`.
 *
 * @example
 * const plain = await decodeBody(bytes, request.headers)
 */
export async function decodeBody(bytes: Uint8Array, headers: Headers): Promise<Uint8Array | undefined> {
  const coding = headers.get('content-encoding')?.trim().toLowerCase() ?? ''
  if (coding === '' || coding === 'identity') return bytes
  const format = CODINGS.get(coding)
  return format === undefined ? undefined : decode(bytes, format).catch(() => undefined)
}

async function decode(bytes: Uint8Array, format: Bun.CompressionFormat): Promise<Uint8Array | undefined> {
  const source = new Blob([new Uint8Array(bytes)]).stream()
  const reader = source.pipeThrough(new DecompressionStream(format)).getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return joinBytes(chunks)
    size += value.byteLength
    if (size > BODY_BYTES_MAX) {
      await reader.cancel()
      return undefined
    }
    chunks.push(value)
  }
}

/** Makes one array of several. */
export function joinBytes(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let at = 0
  for (const chunk of chunks) {
    joined.set(chunk, at)
    at += chunk.byteLength
  }
  return joined
}
