import { noteBody, noteSilence } from '../../answers/body-note.ts'
import { type ChunkDecoder, createChunkDecoder } from '../../formats/bytes/chunk-decoder.ts'
import { formatOf } from '../../formats/bytes/content-coding.ts'
import { codingsOf } from '../../formats/bytes/decode-body.ts'
import { joinBytes } from '../../formats/bytes/join-bytes.ts'
import { ignoreRejection } from '../../formats/ignore-rejection.ts'

type Chunk = Uint8Array<ArrayBuffer>

/**
 * An answer whose beginning is read before it is known what becomes of it. What is released then is the answer as it came, byte
 * for byte, with nothing read of it that is not in it.
 */
export class HeldAnswer {
  readonly #answer: Response
  readonly #reader: ReadableStreamDefaultReader<Chunk> | undefined
  #chunks: Chunk[] = []
  #reading: ReturnType<ReadableStreamDefaultReader<Chunk>['read']> | undefined
  #decoder: ChunkDecoder | undefined
  #isDone = false
  /** Bytes that have come, encoded as they are. */
  bytes = 0
  /** When the last of them came, in the time of `performance.now()`. */
  #lastByteAt = performance.now()
  /** Whether what comes can be decoded, as far as is known. */
  isReadable: boolean

  constructor(answer: Response) {
    this.#answer = answer
    this.#reader = answer.body?.getReader() as ReadableStreamDefaultReader<Chunk> | undefined
    this.#isDone = this.#reader === undefined
    const [coding, ...others] = codingsOf(answer.headers.get('content-encoding'))
    const format = formatOf(coding ?? null)
    this.isReadable = coding === undefined || (format !== undefined && others.length === 0)
    this.#decoder = format === undefined || !this.isReadable ? undefined : createChunkDecoder(format)
  }

  /**
   * What comes next, decoded, which may be nothing yet; undefined: the answer is over, or nobody can decode it. Rejects where
   * it breaks off.
   */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#isDone || this.#reader === undefined || !this.isReadable) return undefined
    this.#reading ??= this.#reader.read()
    const { done, value } = await this.#reading
    this.#reading = undefined
    if (done) {
      this.#isDone = true
      return undefined
    }
    this.#chunks.push(value)
    this.bytes += value.byteLength
    this.#lastByteAt = performance.now()
    if (this.#decoder === undefined) return value
    const plain = await this.#decoder.add(value)
    if (plain !== undefined) return joinBytes(plain)
    this.isReadable = false
    return undefined
  }

  /** The answer; `isWhole` notes beside it that all of it is there, where it is. */
  release(isWhole = false): Response {
    this.#decoder?.close()
    const chunks = this.#chunks
    this.#chunks = []
    if (!(this.#isDone && isWhole)) {
      const answer = new Response(this.#rest(chunks), this.#answer)
      noteSilence(answer, this.#lastByteAt)
      return answer
    }
    const whole = joinBytes(chunks)
    const answer = new Response(whole, this.#answer)
    answer.headers.set('content-length', String(whole.byteLength))
    return noteBody(answer, { whole })
  }

  /** Nobody wants it: its call is ended. */
  discard(): void {
    this.#decoder?.close()
    void ignoreRejection(this.#reader?.cancel())
  }

  #rest(chunks: readonly Chunk[]): ReadableStream<Uint8Array> {
    const reader = this.#reader
    let reading = this.#reading
    let at = 0
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const held = chunks[at]
          if (held !== undefined) {
            at += 1
            return controller.enqueue(held)
          }
          if (this.#isDone || reader === undefined) return controller.close()
          // What had been asked for when it was released is the next to come.
          const next = reading ?? reader.read()
          reading = undefined
          const { done, value } = await next
          if (done) controller.close()
          else controller.enqueue(value)
        },
        cancel: (reason) => reader?.cancel(reason),
      },
      { highWaterMark: 0 },
    )
  }
}
