import type { ChunkReader } from './chunk-reader.ts'
import { decodeWithLimit } from './decode-with-limit.ts'
import type { ReplayableBody } from './replayable-body.ts'
import type { PausableClock } from './work-clock.ts'

/** What `RequestInit` of the standard has beside the types of the runtime. */
export interface GivenBody {
  body?: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>
  duplex?: 'half'
}

/** Reads a kept body for an extension; a class, because there is one for nearly every request. */
class GivenSource {
  readonly #body: ReplayableBody
  readonly #format: Bun.CompressionFormat | undefined
  readonly #bytesMax: number
  readonly #waits: PausableClock
  #reader: ChunkReader | undefined

  constructor(body: ReplayableBody, format: Bun.CompressionFormat | undefined, bytesMax: number, waits: PausableClock) {
    this.#body = body
    this.#format = format
    this.#bytesMax = bytesMax
    this.#waits = waits
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#reader ??= this.#open().getReader()
    this.#waits.pause()
    try {
      const { done, value } = await this.#reader.read()
      if (done) controller.close()
      else controller.enqueue(value)
    } finally {
      this.#waits.resume()
    }
  }

  #open(): ReadableStream<Uint8Array> {
    const stream = this.#body.stream()
    return this.#format === undefined ? stream : decodeWithLimit(stream, this.#format, this.#bytesMax)
  }
}

const ON_DEMAND = { highWaterMark: 0 }

/**
 * The body of a request as an extension reads it: decoded, and untouched until it does. Waiting for the caller to send it is
 * nobody's work.
 *
 * @example
 * const stream = givenStream(body, formatOf(request.headers), bytesMax, waits)
 */
export function givenStream(
  body: ReplayableBody,
  format: Bun.CompressionFormat | undefined,
  bytesMax: number,
  waits: PausableClock,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(new GivenSource(body, format, bytesMax, waits), ON_DEMAND)
}
