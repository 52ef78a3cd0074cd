import { noteBody, noteSilence } from '../../answers/body-note.ts'
import { type ChunkDecoder, createChunkDecoder } from '../../formats/bytes/chunk-decoder.ts'
import { codingsOf, formatOf } from '../../formats/bytes/decode-body.ts'
import { joinBytes } from '../../formats/bytes/join-bytes.ts'
import { ignoreRejection } from '../../formats/ignore-rejection.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Deadlines } from '../../timing/deadlines.ts'
import { Slice } from '../../timing/slices.ts'

type Chunk = Uint8Array<ArrayBuffer>

/** The time limits of reading an answer's beginning. */
export interface ReadingLimits {
  /** From the first byte; 0: no limit. */
  readonly sinceFirstByteMs: number
  /** From now, whether bytes come or not; 0: no limit. */
  readonly totalMs: number
  /**
   * The longest silence; 0: no limit. A silence before the first byte ends the call by `abort`. A later one ends the reading
   * only: whoever gets the bytes that have come sees the silence.
   */
  readonly idleMs: number
  readonly abort: AbortController
}

/** The most bytes that are looked through at once. */
const PIECE_BYTES = 64 * 1024

/**
 * An answer whose beginning is read before it is decided what becomes of it. The released answer has every byte that came,
 * those that have been read, too.
 */
export class HeldAnswer {
  readonly #answer: Response
  readonly #reader: ReadableStreamDefaultReader<Chunk> | undefined
  #chunks: Chunk[] = []
  #reading: ReturnType<ReadableStreamDefaultReader<Chunk>['read']> | undefined
  #decoder: ChunkDecoder | undefined
  #isDone = false
  /** The number of bytes that have come, still encoded. */
  bytes = 0
  /** When the last byte came, in the time of `performance.now()`. */
  #lastByteAt = performance.now()
  /** Whether the body can be decoded, as far as is known. */
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
   * Reads the next bytes, decoded, which may be none yet; undefined: the answer is over, or can't be decoded. Rejects where
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

  /** Gives the answer as it came; `isWhole`: where all of it has come, it is noted as a whole. */
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

  /** Ends the call of an answer that nobody wants. */
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
          // A read that was under way at the release gives the next bytes.
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

/**
 * Reads the beginning of an answer, decoded, until `add` returns a result.
 *
 * `end`: all of the answer has come, or it can't be decoded. `late`: the time is up. Rejects where the answer breaks off.
 */
export async function readBeginning<T>(
  held: HeldAnswer,
  add: (bytes: Uint8Array) => T | undefined,
  { sinceFirstByteMs, totalMs, idleMs, abort }: ReadingLimits,
  deadlines: Deadlines,
): Promise<{ readonly told: T } | 'end' | 'late'> {
  const late = Promise.withResolvers<'late'>()
  const expire = (): void => late.resolve('late')
  const total = deadlines.start(totalMs, expire)
  const soon = deadlines.start(sinceFirstByteMs, expire)
  soon.suspend()
  const idle = deadlines.start(idleMs, () => {
    if (held.bytes > 0) expire()
    else abort.abort(new ApiError('upstream_timeout'))
  })
  try {
    for (;;) {
      const hadBytes = held.bytes > 0
      const bytes = await Promise.race([held.next(), late.promise])
      if (bytes === 'late') return 'late'
      if (bytes === undefined) return 'end'
      idle.touch()
      if (!hadBytes) soon.touch()
      const told = bytes.byteLength > PIECE_BYTES ? await addInPieces(bytes, add) : add(bytes)
      if (told !== undefined) return { told }
    }
  } finally {
    for (const deadline of [total, soon, idle]) deadline.clear()
  }
}

/** Adds a large chunk piece by piece, with rests between: it may hold a million events without a result. */
async function addInPieces<T>(bytes: Uint8Array, add: (bytes: Uint8Array) => T | undefined): Promise<T | undefined> {
  const slice = new Slice()
  for (let from = 0; from < bytes.byteLength; from += PIECE_BYTES) {
    const told = add(bytes.subarray(from, from + PIECE_BYTES))
    if (told !== undefined) return told
    if (slice.isOver()) await slice.rest()
  }
  return undefined
}
