import { ApiError } from '../openai/api-error.ts'

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
