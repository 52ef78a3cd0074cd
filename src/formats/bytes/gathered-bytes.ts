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
  #bytes = 0

  /** How many bytes there are. */
  get byteLength(): number {
    return this.#bytes
  }

  /** How many pieces they are in. */
  get count(): number {
    return this.#pieces.length
  }

  /** Adds a chunk, which is not written to from now on. */
  add(chunk: Uint8Array<ArrayBuffer>): void {
    const { byteLength } = chunk
    if (byteLength === 0) return
    this.#bytes += byteLength
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
    this.#block.set(chunk, this.#blockBytes)
    this.#blockBytes += byteLength
    this.#pieces[this.#pieces.length - 1] = this.#block.subarray(0, this.#blockBytes)
  }

  /** Gives all pieces, in order, and begins anew. */
  take(): readonly Uint8Array<ArrayBuffer>[] {
    const taken = this.#pieces
    this.#pieces = []
    this.#block = undefined
    this.#bytes = 0
    return taken
  }

  /** Gives all of it in one, and begins anew; a single chunk is not copied. */
  join(): Uint8Array<ArrayBuffer> {
    const [only, ...others] = this.take()
    return only !== undefined && others.length === 0 ? only : joinBytes(only === undefined ? [] : [only, ...others])
  }
}
