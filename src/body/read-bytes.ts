import { ApiError } from '../openai/api-error.ts'

/**
 * Reads a whole body, at most `bytesMax` of it; a declared length over the limit is refused before a byte is read.
 *
 * Throws `request_too_large`, or whatever the body's own stream fails with.
 */
export async function readBytes(request: Request, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get('content-length') ?? 0) > bytesMax) throw tooLarge(bytesMax)
  if (request.body === null) return new Uint8Array()
  return collect(request.body, bytesMax)
}

/** Gathers a stream into one array; a stream of one chunk is not copied. */
export async function collect(stream: ReadableStream<Uint8Array>, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader()
  const chunks: Uint8Array[] = []
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    bytes += value.byteLength
    if (bytes > bytesMax) {
      await reader.cancel().catch(() => undefined)
      throw tooLarge(bytesMax)
    }
    chunks.push(value)
  }
  const [only] = chunks
  if (chunks.length === 1 && only !== undefined && only.buffer instanceof ArrayBuffer) {
    return only as Uint8Array<ArrayBuffer>
  }
  const whole = new Uint8Array(bytes)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.byteLength
  }
  return whole
}

/** Passes a stream through until it exceeds `bytesMax`, and fails with `request_too_large` there. */
export function limitBytes(stream: ReadableStream<Uint8Array>, bytesMax: number): ReadableStream<Uint8Array> {
  let bytes = 0
  return stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength
        if (bytes > bytesMax) throw tooLarge(bytesMax)
        controller.enqueue(chunk)
      },
    }),
  )
}

/** The refusal of a body over a limit, with the limit in OpenAI's words. */
export function tooLarge(bytesMax: number): ApiError {
  return new ApiError('request_too_large', { message: `Maximum content size limit (${bytesMax}) exceeded.` })
}
