import { joinBytes } from './join-bytes.ts'

/** A smaller chunk is copied to others of its kind: an object for each would take many times its bytes. */
const SMALL_BYTES = 4096
const BLOCK_BYTES = 16 * 1024

/**
 * Gathers chunks in as few pieces as possible: a body may come byte by byte.
 *
 * @example
 * const gathered = new GatheredBytes()
 * for await (const chunk of body) gathered.add(chunk)
 * const whole = joinBytes(gathered.take())
 */
export class GatheredBytes {
  #pieces: Uint8Array<ArrayBuffer>[] = []
  /** The block that small chunks are copied to; its filled part is the last piece. */
  #block: Uint8Array<ArrayBuffer> | undefined
  #blockBytes = 0
  /** Whether the caller gave the block, which then takes all chunks. */
  #isBlockGiven = false
  #bytes = 0

  /** The number of bytes. */
  get byteLength(): number {
    return this.#bytes
  }

  /** The number of pieces. */
  get count(): number {
    return this.#pieces.length
  }

  /**
   * Copies the present chunks, and those that come until the next `take` or `join`, to one block: for a body of known length.
   * Throws a `RangeError` for a chunk that exceeds the block.
   */
  gatherInto(block: Uint8Array<ArrayBuffer>): void {
    const pieces = this.take()
    this.#block = block
    this.#blockBytes = 0
    this.#isBlockGiven = true
    this.#pieces.push(block)
    for (const piece of pieces) this.add(piece)
  }

  /** Adds a chunk; the caller must not write to it any more. */
  add(chunk: Uint8Array<ArrayBuffer>): void {
    const { byteLength } = chunk
    if (byteLength === 0) return
    this.#bytes += byteLength
    if (this.#isBlockGiven) {
      this.#copy(chunk)
      return
    }
    // The first chunk is often the only one.
    if (byteLength >= SMALL_BYTES || this.#pieces.length === 0) {
      this.#block = undefined
      this.#pieces.push(chunk)
      return
    }
    if (this.#block === undefined || this.#blockBytes + byteLength > BLOCK_BYTES) {
      this.#block = new Uint8Array(BLOCK_BYTES)
      this.#blockBytes = 0
      this.#pieces.push(this.#block)
    }
    this.#copy(chunk)
  }

  /** Gives all pieces, in order, and starts anew. */
  take(): readonly Uint8Array<ArrayBuffer>[] {
    const taken = this.#pieces
    this.#pieces = []
    this.#block = undefined
    this.#isBlockGiven = false
    this.#bytes = 0
    return taken
  }

  /** Gives all bytes in one array, and starts anew; a single chunk is not copied. */
  join(): Uint8Array<ArrayBuffer> {
    const [only, ...others] = this.take()
    return only !== undefined && others.length === 0 ? only : joinBytes(only === undefined ? [] : [only, ...others])
  }

  #copy(chunk: Uint8Array<ArrayBuffer>): void {
    const block = this.#block
    if (block === undefined) return
    block.set(chunk, this.#blockBytes)
    this.#blockBytes += chunk.byteLength
    this.#pieces[this.#pieces.length - 1] = block.subarray(0, this.#blockBytes)
  }
}
