import { joinBytes } from '../bytes/join-bytes.ts'
import type { Exchange } from '../exchange.ts'
import { ApiError } from '../openai/api-error.ts'

/** A request's headers and its body. */
export type Incoming = Pick<Exchange, 'request' | 'body'>

/**
 * Reads a whole body, at most `bytesMax` of it: at once where it has come; a declared length over the limit is refused
 * before a byte is read.
 *
 * Throws `request_too_large`, or rejects with it or with whatever the body itself fails with.
 */
export function readBytes(
  { request, body }: Incoming,
  bytesMax: number,
): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
  if (body === undefined) return new Uint8Array()
  const declared = request.headers.get('content-length')
  if (declared === null) return collect(body.stream(), bytesMax)
  if (Number(declared) > bytesMax) throw tooLarge(bytesMax)
  return body.whole()
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
  return joinBytes(chunks)
}

/**
 * Reads the first chunk of a body of `length` bytes: where that is all of it, which is cheaper to send, it is given
 * as bytes; else as a stream that goes on as it arrives.
 *
 * @example
 * const body = await readStart(exchange.body.stream(), Number(request.headers.get('content-length')))
 */
export async function readStart(
  stream: ReadableStream<Uint8Array>,
  length: number,
): Promise<Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>> {
  const reader = stream.getReader()
  const first = await reader.read()
  if (first.done) return new Uint8Array()
  if (first.value.byteLength === length && (await reader.read()).done) return new Uint8Array(first.value)
  let held: Uint8Array | undefined = first.value
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (held !== undefined) {
          controller.enqueue(held)
          held = undefined
          return
        }
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason).catch(() => undefined),
    },
    { highWaterMark: 0 },
  )
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
