import { ApiError } from '../openai/api-error.ts'

const FORMATS: ReadonlyMap<string, Bun.CompressionFormat> = new Map([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'brotli'],
  ['zstd', 'zstd'],
])

/** The format of a body's coding, as `content-encoding` names it; undefined: none, or one that is not known. */
export function formatOf(coding: string | null): Bun.CompressionFormat | undefined {
  return coding === null ? undefined : FORMATS.get(coding.trim().toLowerCase())
}

/** Decodes a body; of more than `bytesMax` decoded bytes it fails with `request_too_large`. */
export function decodeStream(
  stream: ReadableStream<Uint8Array>,
  format: Bun.CompressionFormat,
  bytesMax: number,
): ReadableStream<Uint8Array> {
  let bytes = 0
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength
      if (bytes > bytesMax) throw new ApiError('request_too_large')
      controller.enqueue(chunk)
    },
  })
  const encoded = stream as ReadableStream<Uint8Array<ArrayBuffer>>
  return encoded.pipeThrough(new DecompressionStream(format)).pipeThrough(limit)
}
