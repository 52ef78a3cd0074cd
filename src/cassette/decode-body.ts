import { formatOf } from '../bytes/content-coding.ts'
import { joinBytes } from '../bytes/join-bytes.ts'

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
  const format = formatOf(coding)
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
