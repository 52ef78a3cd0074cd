import { joinBytes } from './join-bytes.ts'

/** A smaller chunk is copied to others of its kind: an object for each would take many times its bytes. */
const SMALL_BYTES = 4096
const BLOCK_BYTES = 16 * 1024

/**
 * Chunks that are gathered, in as few pieces as it takes: a body may come byte by byte.
 *
 * @example
 * const gathered = new GatheredBytes()
 * for await (const chunk of body) gathered.add(chunk)
 * const whole = joinBytes(gathered.take())
 */
export class GatheredBytes {
  #pieces: Uint8Array<ArrayBuffer>[] = []
  /** What small chunks are copied to, which is the last piece as far as it is filled. */
  #block: Uint8Array<ArrayBuffer> | undefined
  #blockBytes = 0
  /** Whether the block is the caller's, and takes all that comes. */
  #isBlockGiven = false
  #bytes = 0

  /** How many bytes there are. */
  get byteLength(): number {
    return this.#bytes
  }

  /** How many pieces they are in. */
  get count(): number {
    return this.#pieces.length
  }

  /**
   * Copies the chunks that are there, and those that come until the next `take` or `join`, to one piece: for a length that is known.
   * A chunk that has no room in it throws a `RangeError`.
   */
  gatherInto(block: Uint8Array<ArrayBuffer>): void {
    const pieces = this.take()
    this.#block = block
    this.#blockBytes = 0
    this.#isBlockGiven = true
    this.#pieces.push(block)
    for (const piece of pieces) this.add(piece)
  }

  /** Adds a chunk, which is not written to from now on. */
  add(chunk: Uint8Array<ArrayBuffer>): void {
    const { byteLength } = chunk
    if (byteLength === 0) return
    this.#bytes += byteLength
    if (this.#isBlockGiven) {
      this.#copy(chunk)
      return
    }
    // The first one may well be all.
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

  /** Gives all pieces, in order, and begins anew. */
  take(): readonly Uint8Array<ArrayBuffer>[] {
    const taken = this.#pieces
    this.#pieces = []
    this.#block = undefined
    this.#isBlockGiven = false
    this.#bytes = 0
    return taken
  }

  /** Gives all of it in one, and begins anew; a single chunk is not copied. */
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
