import type { IncomingBody } from '../exchange/arrival.ts'
import { collect, type ReadLimits, tooLarge, UNCOUNTED_BYTES_MAX } from '../exchange/collect-bytes.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Held } from '../exchange/memory-budget.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'

/** A request's headers and body, and its end, at which its memory is released. */
export interface Incoming extends Pick<Exchange, 'body' | 'atEnd'> {
  readonly request: Pick<Request, 'headers'>
}

/** A body of up to this length is counted before it arrives. A longer one is counted as it arrives, since it may never do so. */
const COUNTED_AT_ONCE_BYTES = 1024 * 1024

/**
 * Reads a whole body of at most `bytesMax` bytes: at once where it has arrived. A declared length over the limit is refused before a
 * byte is read.
 *
 * Throws `request_too_large` and `memory_full`, or rejects with them or with whatever the body itself fails with.
 */
export function readBytes(
  incoming: Incoming,
  { bytesMax, memory }: ReadLimits,
): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
  const { request, body } = incoming
  if (body === undefined) return new Uint8Array()
  if (body.isCounted === true) return readAgain(body, bytesMax)
  const declared = request.headers.get('content-length')
  if (declared === null) return collect(body.stream(), bytesMax, memory.hold(incoming))
  const length = Number(declared)
  if (length > bytesMax) throw tooLarge(bytesMax)
  if (length <= UNCOUNTED_BYTES_MAX) return body.whole()
  const held = memory.hold(incoming)
  if (length > COUNTED_AT_ONCE_BYTES && !body.isComplete) return gather(body.stream(), length, held)
  held.add(length)
  return body.whole()
}

function readAgain(body: IncomingBody, bytesMax: number): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
  if ((body.length ?? 0) > bytesMax) throw tooLarge(bytesMax)
  return body.whole()
}

/** Gathers a long body of a known length as it arrives: a copy at its end would keep other requests waiting. */
async function gather(
  stream: ReadableStream<Uint8Array>,
  length: number,
  held: Held,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader()
  let whole: Uint8Array<ArrayBuffer> | undefined
  let at = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return whole ?? new Uint8Array()
    try {
      held.add(value.byteLength)
    } catch (refusal) {
      await ignoreRejection(reader.cancel())
      throw refusal
    }
    // Memory pages are taken only when something is written to them.
    whole ??= new Uint8Array(length)
    whole.set(value, at)
    at += value.byteLength
  }
}

/**
 * Reads the first chunk of a body of `length` bytes. Gives the bytes where this chunk is the whole body, since bytes are cheaper to send.
 * Else gives a stream of the whole body as it arrives.
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
      cancel: (reason) => ignoreRejection(reader.cancel(reason)),
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
