import { peek } from 'bun'
import type { ChunkSource, ChunkSourceEnd } from '../../formats/bytes/chunk-source.ts'
import { ignoreRejection } from '../../formats/ignore-rejection.ts'

/** Chunks of this size or more, or so many, are not taken together: a source may have megabytes ready. */
const TOGETHER_BYTES_MAX = 16 * 1024
const TOGETHER_CHUNKS_MAX = 64

const NONE: readonly Uint8Array[] = []
const DONE: ChunkSourceEnd = { isBroken: false }

type Reader = ReadableStreamDefaultReader<Uint8Array>
type Reading = Awaited<ReturnType<Reader['read']>>

/**
 * Reads a standard stream. A chunk that is there is taken without a promise; one that is not is asked for, so that one chunk at most
 * comes before the reader wants it.
 *
 * Throws when the stream can't be read: it has another reader, or it is that of a file that does not exist.
 *
 * @example
 * const source = new StreamSource(response.body)
 */
export class StreamSource implements ChunkSource {
  readonly #reader: Reader
  readonly #onRead: (reading: Reading) => void
  readonly #onFailed: (cause: unknown) => void
  /** The next chunk. */
  #next: Uint8Array | undefined
  #isReading = false
  #callback: (() => void) | undefined
  #end: ChunkSourceEnd | undefined

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader() as Reader
    // Made once: a function for each chunk would cost as much as the rest of its way.
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

  take(): readonly Uint8Array[] {
    if (!this.#hasNext()) return NONE
    const chunks: Uint8Array[] = []
    let bytes = 0
    for (let next = this.#next; next !== undefined; next = this.#next) {
      this.#next = undefined
      chunks.push(next)
      // An extension's own stream may give null, which its watcher refuses.
      bytes += (next as Uint8Array | null)?.byteLength ?? 0
      if (bytes >= TOGETHER_BYTES_MAX || chunks.length === TOGETHER_CHUNKS_MAX || !this.#hasNext()) break
    }
    return chunks
  }

  onceMore(callback: () => void): void {
    this.#callback = callback
  }

  get end(): ChunkSourceEnd | undefined {
    return this.#next === undefined ? this.#end : undefined
  }

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

  #keep({ done, value }: Reading): void {
    if (done) this.#end = DONE
    else this.#next = value
  }

  #callBack(): void {
    const callback = this.#callback
    this.#callback = undefined
    callback?.()
  }
}
