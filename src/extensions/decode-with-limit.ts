import { decodedBytesMax } from '../formats/bytes/decode-limit.ts'
import { ApiError } from '../openai/api-error.ts'

/**
 * Decodes a body as it comes. The stream fails with `request_too_large` behind `bytesMax` decoded bytes, and with
 * `decodes_to_too_much` where they are far more than the encoded ones.
 */
export function decodeWithLimit(
  stream: ReadableStream<Uint8Array>,
  format: Bun.CompressionFormat,
  bytesMax: number,
): ReadableStream<Uint8Array> {
  let [came, bytes] = [0, 0]
  const count = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      came += chunk.byteLength
      controller.enqueue(chunk)
    },
  })
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength
      if (bytes > bytesMax) throw new ApiError('request_too_large')
      if (bytes > decodedBytesMax(came)) throw new ApiError('decodes_to_too_much')
      controller.enqueue(chunk)
    },
  })
  const encoded = stream as ReadableStream<Uint8Array<ArrayBuffer>>
  return encoded.pipeThrough(count).pipeThrough(new DecompressionStream(format)).pipeThrough(limit)
}
