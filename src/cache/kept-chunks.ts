import type { TimedChunk } from './cached-answer.ts'

/** What a kept chunk costs beside its bytes. */
const CHUNK_OVERHEAD_BYTES = 128

/** The chunks of a body that somebody may still want, by their numbers from the body's start. */
export class KeptChunks {
  readonly #bytesMax: number
  /** Those from number `#first` on. */
  readonly #chunks: TimedChunk[] = []
  #first = 0
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Those that are kept, in order. */
  get all(): readonly TimedChunk[] {
    return this.#chunks
  }

  /** The number of the next one to come. */
  get end(): number {
    return this.#first + this.#chunks.length
  }

  /** Whether they take more than they should. */
  get isOverfull(): boolean {
    return this.#bytes > this.#bytesMax
  }

  /** The bytes of one; undefined: it has not come. */
  at(number: number): Uint8Array | undefined {
    return this.#chunks[number - this.#first]?.bytes
  }

  /** Keeps one more; `atMs`: after the head. */
  push(bytes: Uint8Array, atMs: number): void {
    // A small view would hold on to all of a large buffer.
    const isSmallView = bytes.byteLength * 2 < bytes.buffer.byteLength
    this.#chunks.push({ bytes: isSmallView ? bytes.slice() : bytes, atMs })
    this.#bytes += bytes.byteLength + CHUNK_OVERHEAD_BYTES
  }

  /** Lets go of those before a number. */
  dropBefore(number: number): void {
    for (const { bytes } of this.#chunks.splice(0, number - this.#first)) {
      this.#bytes -= bytes.byteLength + CHUNK_OVERHEAD_BYTES
    }
    this.#first = number
  }
}
