const BLOCK_BITS = 8
/** Small enough to waste little behind each piece, large enough for most answers to be a few of them. */
export const BLOCK_BYTES = 1 << BLOCK_BITS
const SLAB_BITS = 12
const SLAB_BLOCKS = 1 << SLAB_BITS
/** The number that ends a chain, and stands for no block. */
const NONE = 0xff_ff_ff_ff

/** Blocks in one buffer, each with the number of the next one of its chain. */
interface Slab {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly fields: DataView<ArrayBuffer>
  readonly next: Uint32Array<ArrayBuffer>
}

/** A run of bytes in a slab. */
type Visit = (bytes: Uint8Array<ArrayBuffer>, begin: number, end: number, at: number) => void

/**
 * Pieces of bytes in a few large buffers, each piece a chain of blocks of 256 bytes. To the garbage collector, 100,000 pieces
 * cost no more than one, and the place of a freed piece is there for the next at once. It grows by 1 MiB, and shrinks when
 * no piece is left.
 *
 * @example
 * const arena = new BlockArena()
 * const piece = arena.put(head, body)
 * const bytes = arena.copy(piece, head.byteLength, body.byteLength)
 * arena.free(piece)
 */
export class BlockArena {
  #slabs: Slab[] = []
  #free = NONE
  #used = 0

  /** Gives the memory that a piece of a length takes, in bytes. */
  static sizeOf(length: number): number {
    return blocksOf(length) * (BLOCK_BYTES + Uint32Array.BYTES_PER_ELEMENT)
  }

  /** The memory taken from the system, in bytes. */
  get bytes(): number {
    return this.#slabs.length * SLAB_BLOCKS * (BLOCK_BYTES + Uint32Array.BYTES_PER_ELEMENT)
  }

  /** Keeps a copy of some bytes, one behind the other; gives the number of the piece. */
  put(...parts: readonly Uint8Array[]): number {
    let length = 0
    for (const { byteLength } of parts) length += byteLength
    const first = this.#take(blocksOf(length))
    let from = 0
    for (const part of parts) {
      this.#visit(first, from, part.byteLength, (bytes, begin, end, at) => {
        const isAll = end - begin === part.byteLength
        bytes.set(isAll ? part : part.subarray(at, at + end - begin), begin)
      })
      from += part.byteLength
    }
    return first
  }

  /** A copy of some bytes of a piece, from the byte `from` on. */
  copy(piece: number, from: number, length: number): Uint8Array<ArrayBuffer> {
    let copy: Uint8Array<ArrayBuffer> | undefined
    this.#visit(piece, from, length, (bytes, begin, end, at) => {
      if (end - begin === length) copy = bytes.slice(begin, end)
      else {
        copy ??= new Uint8Array(length)
        copy.set(bytes.subarray(begin, end), at)
      }
    })
    return copy ?? new Uint8Array()
  }

  /** A number of 32 bits among the first bytes of a piece, which are those of its first block. */
  uint32At(piece: number, from: number): number {
    return this.#slabOf(piece).fields.getUint32(((piece % SLAB_BLOCKS) << BLOCK_BITS) + from)
  }

  /** A number of 64 bits there. */
  float64At(piece: number, from: number): number {
    return this.#slabOf(piece).fields.getFloat64(((piece % SLAB_BLOCKS) << BLOCK_BITS) + from)
  }

  /** Frees a piece. */
  free(piece: number): void {
    let last = piece
    this.#used -= 1
    for (let next = this.#nextOf(last); next !== NONE; next = this.#nextOf(last)) {
      last = next
      this.#used -= 1
    }
    this.#link(last, this.#free)
    this.#free = piece
    if (this.#used > 0) return
    this.#slabs = []
    this.#free = NONE
  }

  /** Takes a chain of free blocks; adjacent ones stay in their order. */
  #take(blocks: number): number {
    let last = NONE
    let first = NONE
    for (let count = 0; count < blocks; count += 1) {
      if (this.#free === NONE) this.#grow()
      const block = this.#free
      this.#free = this.#nextOf(block)
      if (last === NONE) first = block
      else this.#link(last, block)
      last = block
    }
    this.#link(last, NONE)
    this.#used += blocks
    return first
  }

  #grow(): void {
    const base = this.#slabs.length * SLAB_BLOCKS
    const next = new Uint32Array(SLAB_BLOCKS)
    for (let block = 0; block < SLAB_BLOCKS; block += 1) next[block] = base + block + 1
    next[SLAB_BLOCKS - 1] = NONE
    const bytes = new Uint8Array(SLAB_BLOCKS << BLOCK_BITS)
    this.#slabs.push({ bytes, fields: new DataView(bytes.buffer), next })
    this.#free = base
  }

  /** Goes through the bytes of a piece, in runs of adjacent blocks. */
  #visit(piece: number, from: number, length: number, visit: Visit): void {
    let block = piece
    for (let skipped = from >>> BLOCK_BITS; skipped > 0; skipped -= 1) block = this.#nextOf(block)
    let offset = from % BLOCK_BYTES
    let at = 0
    while (at < length) {
      const { bytes, next } = this.#slabOf(block)
      const begin = ((block % SLAB_BLOCKS) << BLOCK_BITS) + offset
      let follower = next[block % SLAB_BLOCKS] ?? NONE
      let end = begin - offset + BLOCK_BYTES
      while (end - begin < length - at && follower === block + 1 && follower % SLAB_BLOCKS !== 0) {
        block = follower
        follower = next[block % SLAB_BLOCKS] ?? NONE
        end += BLOCK_BYTES
      }
      end = Math.min(end, begin + length - at)
      visit(bytes, begin, end, at)
      at += end - begin
      block = follower
      offset = 0
    }
  }

  #slabOf(block: number): Slab {
    const slab = this.#slabs[block >>> SLAB_BITS]
    if (slab === undefined) throw new Error('no such block')
    return slab
  }

  #nextOf(block: number): number {
    return this.#slabOf(block).next[block % SLAB_BLOCKS] ?? NONE
  }

  #link(block: number, next: number): void {
    this.#slabOf(block).next[block % SLAB_BLOCKS] = next
  }
}

function blocksOf(length: number): number {
  return Math.max(1, Math.ceil(length / BLOCK_BYTES))
}
