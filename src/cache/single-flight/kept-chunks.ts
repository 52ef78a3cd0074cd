import type { TimedChunk } from '../../timing/paced-stream.ts'

/** The memory that a kept chunk takes beside its bytes. */
const CHUNK_OVERHEAD_BYTES = 128

/** The memory that kept chunks count towards. `take` gives false where too little is left. */
export interface Memory {
  readonly take: (bytes: number) => boolean
  readonly give: (bytes: number) => void
}

/** The chunks of a body that a reader may still want, numbered from the body's start. */
export class KeptChunks {
  readonly #bytesMax: number
  readonly #memory: Memory | undefined
  /** Those from number `#first` on. */
  readonly #chunks: TimedChunk[] = []
  #first = 0
  #bytes = 0
  /** The bytes taken of the memory. */
  #takenBytes = 0
  #isRefused = false

  constructor(bytesMax: number, memory?: Memory) {
    this.#bytesMax = bytesMax
    this.#memory = memory
  }

  /** The kept chunks, in order. */
  get all(): readonly TimedChunk[] {
    return this.#chunks
  }

  /** The number of the next chunk to come. */
  get end(): number {
    return this.#first + this.#chunks.length
  }

  /** Whether they take more than they may. */
  get isOverfull(): boolean {
    return this.#isRefused || this.#bytes > this.#bytesMax
  }

  /** The bytes of a chunk; undefined: it has not come. */
  at(number: number): Uint8Array | undefined {
    return this.#chunks[number - this.#first]?.bytes
  }

  /** Keeps one more chunk. `atMs`: when it came, in ms after the head. */
  push(bytes: Uint8Array, atMs: number): void {
    // A small view would hold on to all of a large buffer.
    const isSmallView = bytes.byteLength * 2 < bytes.buffer.byteLength
    this.#chunks.push({ bytes: isSmallView ? bytes.slice() : bytes, atMs })
    const cost = bytes.byteLength + CHUNK_OVERHEAD_BYTES
    this.#bytes += cost
    if (this.#memory === undefined || this.#isRefused) return
    if (this.#memory.take(cost)) this.#takenBytes += cost
    else this.#isRefused = true
  }

  /** Drops the chunks before a number. */
  dropBefore(number: number): void {
    let cost = 0
    for (const { bytes } of this.#chunks.splice(0, number - this.#first)) {
      cost += bytes.byteLength + CHUNK_OVERHEAD_BYTES
    }
    this.#first = number
    this.#bytes -= cost
    this.#giveBack(cost)
  }

  /** Gives the memory back: nobody reads the chunks any more. */
  release(): void {
    this.#giveBack(this.#takenBytes)
  }

  #giveBack(bytes: number): void {
    const given = Math.min(bytes, this.#takenBytes)
    this.#takenBytes -= given
    this.#memory?.give(given)
    if (this.#takenBytes === 0) this.#isRefused &&= this.#bytes > 0
  }
}
