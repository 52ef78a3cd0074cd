import { peek } from 'bun'
import { ignoreRejection } from '../../formats/ignore-rejection.ts'

/** Chunks of this size or more, or so many, are not taken together: a source may have megabytes ready. */
const TOGETHER_BYTES_MAX = 16 * 1024
const TOGETHER_CHUNKS_MAX = 64

const NONE: readonly Uint8Array[] = []
const DONE: BodyEnd = { isBroken: false }

/** The end of a stream: proper, or broken off with a cause. */
export type BodyEnd = { readonly isBroken: false } | { readonly isBroken: true; readonly cause: unknown }

type Reader = ReadableStreamDefaultReader<Uint8Array>
type Reading = Awaited<ReturnType<Reader['read']>>
type Chunk = Extract<Reading, { readonly done: false }>

/**
 * Reads a standard stream. A chunk that is there is taken without a promise; one that is not is asked for, so that one chunk at most
 * comes before the reader wants it.
 *
 * Throws when the stream can't be read: it has another reader, or it is that of a file that does not exist.
 *
 * @example
 * const source = new StreamSource(response.body)
 */
export class StreamSource {
  readonly #reader: Reader
  readonly #onRead: (reading: Reading) => void
  readonly #onFailed: (cause: unknown) => void
  /** What has been read, and not been taken: an extension's own stream may give values that are no chunks, and others refuse them. */
  #next: Chunk | undefined
  #isReading = false
  #callback: (() => void) | undefined
  #end: BodyEnd | undefined

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader() as Reader
    // Made once for a stream, and not for each chunk.
    this.#onRead = (reading) => {
      this.#isReading = false
      this.#keep(reading)
      this.#callBack()
    }
    this.#onFailed = (cause) => {
      this.#isReading = false
      this.#end = { isBroken: true, cause }
      this.#callBack()
    }
  }

  /** Gives the chunks that are there, oldest first; none: nothing is there now, or `end` says that nothing will be. */
  take(): readonly Uint8Array[] {
    if (!this.#hasNext()) return NONE
    const chunks: Uint8Array[] = []
    let bytes = 0
    for (let next = this.#next; next !== undefined; next = this.#next) {
      this.#next = undefined
      chunks.push(next.value)
      bytes += (next.value as Uint8Array | null | undefined)?.byteLength ?? 0
      if (bytes >= TOGETHER_BYTES_MAX || chunks.length === TOGETHER_CHUNKS_MAX || !this.#hasNext()) break
    }
    return chunks
  }

  /** Calls back once, and never at once, when there is something to take or the stream has ended. To be called when nothing is there. */
  onceMore(callback: () => void): void {
    this.#callback = callback
  }

  /** How the stream has ended, once all of its chunks have been taken; undefined: it goes on. */
  get end(): BodyEnd | undefined {
    return this.#next === undefined ? this.#end : undefined
  }

  /** Ends the stream before its end, with the reason for that. */
  cancel(reason?: unknown): void {
    void ignoreRejection(this.#reader.cancel(reason))
  }

  /** Whether the next chunk is there; where not, it is asked for. */
  #hasNext(): boolean {
    if (this.#next === undefined && !this.#isReading && this.#end === undefined) this.#read()
    return this.#next !== undefined
  }

  #read(): void {
    const reading = this.#reader.read()
    const read: Reading | Promise<Reading> = peek(reading)
    if (read !== reading && peek.status(reading) === 'fulfilled') this.#keep(read as Reading)
    else {
      this.#isReading = true
      reading.then(this.#onRead, this.#onFailed)
    }
  }

  #keep(reading: Reading): void {
    if (reading.done) this.#end = DONE
    else this.#next = reading
  }

  #callBack(): void {
    const callback = this.#callback
    this.#callback = undefined
    callback?.()
  }
}
