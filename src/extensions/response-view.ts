import { formatOf } from '../formats/bytes/content-coding.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import type { AnswerNotes } from './chain-deps.ts'
import type { ChunkReader } from './chunk-reader.ts'
import { decodeWithLimit } from './decode-with-limit.ts'
import { teeCopies } from './tee-copies.ts'
import type { PausableClock } from './work-clock.ts'

/** What says how a body came. */
const BODY_HEADERS = ['content-length', 'content-encoding'] as const
const ON_DEMAND = { highWaterMark: 0 }

/** An answer as a standard response, and the stream that its body was at first. */
interface PlainAnswer {
  readonly response: Response
  readonly stream: ReadableStream<Uint8Array>
}

/**
 * An answer as extensions see it: a response that is decoded and has no length, made of the answer itself only when somebody
 * asks for its body. Untouched, the answer goes on as it is.
 */
export class ResponseView {
  readonly answer: Response
  readonly #notes: AnswerNotes
  readonly #waits: PausableClock
  /** The headers that say how the body came, while they are hidden. */
  #hidden: readonly (readonly [name: string, value: string])[] | undefined
  #plain: PlainAnswer | undefined
  #reader: ChunkReader | undefined
  /** What is read is nobody else's: it has been decoded for this reader. */
  #isOwn = false
  #isOver = false
  #isBroken = false

  constructor(answer: Response, notes: AnswerNotes, waits: PausableClock) {
    this.answer = answer
    this.#notes = notes
    this.#waits = waits
  }

  /** Shared with the answer: what changes here changes there. */
  get headers(): Headers {
    const { headers } = this.answer
    if (this.#hidden === undefined && !this.#isOver) {
      this.#hidden = BODY_HEADERS.map((name) => [name, headers.get(name) ?? ''] as const)
      for (const name of BODY_HEADERS) headers.delete(name)
    }
    return headers
  }

  /** The same as a standard response, whose body is read when somebody asks for it. */
  get plain(): Response {
    return this.#shown().response
  }

  /** A second one with the same body. Throws a `TypeError` where that is being read already. */
  copy(): Response {
    const { response, stream } = this.#shown()
    const { body } = response
    if (this.isRead || body === null) throw new TypeError('the body of the response has been read')
    const [own, other] = teeCopies(body)
    const { status, statusText } = this.answer
    this.#plain = { stream, response: new Response(own, { status, statusText, headers: this.headers }) }
    return new Response(other, this.answer)
  }

  /** Whether nobody has read its body, nor has taken a copy. */
  get isUntouched(): boolean {
    if (this.#isOver || this.#reader !== undefined) return false
    return this.#plain === undefined || (!this.isRead && this.#plain.response.body === this.#plain.stream)
  }

  get isRead(): boolean {
    const { response } = this.#plain ?? {}
    return response !== undefined && (response.bodyUsed || response.body?.locked === true)
  }

  /** Whether its source broke off while it was read. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** What goes on to the caller: the answer itself, or what is left of it where somebody has a copy. */
  carry(): Response {
    if (!this.isUntouched) return new Response(this.plain.body, this.answer)
    this.#isOver = true
    const { headers } = this.answer
    for (const [name, value] of this.#hidden ?? []) if (value !== '') headers.set(name, value)
    return this.answer
  }

  /** Nobody wants its body any more. */
  drop(): void {
    if (this.#isOver) return
    this.#isOver = true
    // A body that was being read ends; one that nobody has read ends the answer.
    const ended = this.#reader?.cancel() ?? this.#notes.standalone(this.answer).body?.cancel()
    void ignoreRejection(ended)
  }

  /** The stream's reader wants a chunk. */
  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#waits.pause()
    try {
      this.#reader ??= this.#open()
      const { done, value } = await this.#reader.read()
      // Others may get the same chunk, or have kept it: whoever reads this one may write into it.
      if (!done) return controller.enqueue(this.#isOwn ? value : value.slice())
      this.#isOver = true
      controller.close()
    } catch {
      this.#isBroken = !this.#isOver
      this.#isOver = true
      // Without a reason: Bun prints a stream's error, with its source, to stderr and past the log.
      controller.error(undefined)
    } finally {
      this.#waits.resume()
    }
  }

  /** The stream's reader has left. */
  cancel(): void {
    this.drop()
  }

  #shown(): PlainAnswer {
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
    const { body } = this.#notes.standalone(this.answer)
    if (body === null) throw new TypeError('the answer has no body')
    this.#isOwn = format !== undefined
    return (format === undefined ? body : decodeWithLimit(body, format, Number.POSITIVE_INFINITY)).getReader()
  }
}
