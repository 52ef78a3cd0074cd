import { standalone } from '../answers/body-note.ts'
import { formatOf } from '../formats/bytes/decode-body.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { decodeWithLimit } from './decode-with-limit.ts'
import type { ChunkReader } from './read-stream.ts'
import { teeCopies } from './tee-copies.ts'
import type { PausableClock } from './work-clock.ts'

/** The headers that describe how a body came. */
const BODY_HEADERS = ['content-length', 'content-encoding'] as const
const ON_DEMAND = { highWaterMark: 0 }

/** An answer as a standard response, and the stream that its body was at first. */
interface PlainAnswer {
  readonly response: Response
  readonly stream: ReadableStream<Uint8Array>
}

/**
 * An answer as extensions see it: decoded and without a length. The standard response is made only when an extension asks for the body; an
 * answer that nobody has read goes on as it is.
 */
export class ResponseView {
  readonly answer: Response
  readonly #clock: PausableClock
  /** The headers that describe how the body came, while they are hidden. */
  #hidden: readonly (readonly [name: string, value: string])[] | undefined
  #plain: PlainAnswer | undefined
  #reader: ChunkReader | undefined
  /** Whether the chunks have no other reader: they were decoded for this one. */
  #isOwn = false
  #isOver = false
  #isBroken = false

  /** `clock` stands still while a chunk of the answer is awaited. */
  constructor(answer: Response, clock: PausableClock) {
    this.answer = answer
    this.#clock = clock
  }

  /** The answer's own headers: a change here is a change there. */
  get headers(): Headers {
    const { headers } = this.answer
    if (this.#hidden === undefined && !this.#isOver) {
      this.#hidden = BODY_HEADERS.map((name) => [name, headers.get(name) ?? ''] as const)
      for (const name of BODY_HEADERS) headers.delete(name)
    }
    return headers
  }

  /** The answer as a standard response. Its body is read only on demand. */
  get plain(): Response {
    return this.#makePlain().response
  }

  /** Makes a second response with the same body. Throws a `TypeError` where the body is being read already. */
  copy(): Response {
    const { response, stream } = this.#makePlain()
    const { body } = response
    if (this.isRead || body === null) throw new TypeError('the body of the response has been read')
    const [own, other] = teeCopies(body)
    const { status, statusText } = this.answer
    this.#plain = { stream, response: new Response(own, { status, statusText, headers: this.headers }) }
    return new Response(other, this.answer)
  }

  /** Whether nobody has read the body or has taken a copy of it. */
  get isUntouched(): boolean {
    if (this.#isOver || this.#reader !== undefined) return false
    return this.#plain === undefined || (!this.isRead && this.#plain.response.body === this.#plain.stream)
  }

  get isRead(): boolean {
    const { response } = this.#plain ?? {}
    return response !== undefined && (response.bodyUsed || response.body?.locked === true)
  }

  /** Whether the answer broke off while it was read. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** Gives the response that goes on to the caller: the answer itself, or the rest of it where an extension has a copy. */
  carry(): Response {
    if (!this.isUntouched) return new Response(this.plain.body, this.answer)
    this.#isOver = true
    const { headers } = this.answer
    for (const [name, value] of this.#hidden ?? []) if (value !== '') headers.set(name, value)
    return this.answer
  }

  /** Ends the answer: nobody wants its body any more. */
  drop(): void {
    if (this.#isOver) return
    this.#isOver = true
    const ended = this.#reader?.cancel() ?? standalone(this.answer).body?.cancel()
    void ignoreRejection(ended)
  }

  /** Called by the stream: its reader wants a chunk. */
  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#clock.pause()
    try {
      this.#reader ??= this.#open()
      const { done, value } = await this.#reader.read()
      // A copy, because the reader may write into it and others may have the same chunk.
      if (!done) return controller.enqueue(this.#isOwn ? value : value.slice())
      this.#isOver = true
      controller.close()
    } catch {
      this.#isBroken = !this.#isOver
      this.#isOver = true
      // Without a reason: Bun prints a stream's error, with its source, to stderr and past the log.
      controller.error(undefined)
    } finally {
      this.#clock.resume()
    }
  }

  /** Called by the stream: its reader has left. */
  cancel(): void {
    this.drop()
  }

  #makePlain(): PlainAnswer {
    if (this.#plain === undefined) {
      const stream = new ReadableStream<Uint8Array>(this, ON_DEMAND)
      const { status, statusText } = this.answer
      this.#plain = { stream, response: new Response(stream, { status, statusText, headers: this.headers }) }
    }
    return this.#plain
  }

  #open(): ChunkReader {
    if (this.#isOver) throw new TypeError('the answer has gone to the caller')
    const coding = this.#hidden?.find(([name]) => name === 'content-encoding')?.[1]
    const format = coding === undefined ? undefined : formatOf(coding)
    const { body } = standalone(this.answer)
    if (body === null) throw new TypeError('the answer has no body')
    this.#isOwn = format !== undefined
    return (format === undefined ? body : decodeWithLimit(body, format, Number.POSITIVE_INFINITY)).getReader()
  }
}
