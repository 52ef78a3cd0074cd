import { ApiError } from '../openai/api-error.ts'

/** Something that releases what it holds at its end, such as an exchange. */
export interface Owner {
  readonly atEnd: (release: () => void) => void
}

/**
 * The memory that bodies and their parsed values may take in this process, all together. It counts only bytes that are held while
 * something else is awaited: bytes that pass through and small bodies are not counted.
 *
 * @example
 * const memory = new MemoryBudget(config.limits.memoryBytesMax)
 * const held = memory.hold(exchange)
 * held.add(body.byteLength)
 */
export class MemoryBudget {
  readonly bytesMax: number
  #usedBytes = 0
  #relieve: (() => boolean) | undefined

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  /** The memory held now, in bytes. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Begins a holding that is released when its owner ends. */
  hold(owner: Owner): Held {
    const held = new HeldMemory(this)
    owner.atEnd(() => held.drop())
    return held
  }

  /** Sets the function that frees memory when too little is left; it gives false where it has nothing to free. */
  relieveBy(relieve: () => boolean): void {
    this.#relieve = relieve
  }

  /** Takes so many bytes; false: fewer are left. */
  take(bytes: number): boolean {
    while (this.#usedBytes + bytes > this.bytesMax) {
      // Nothing is freed for an amount that the whole budget could not hold.
      if (bytes > this.bytesMax || this.#relieve?.() !== true) return false
    }
    this.#usedBytes += bytes
    return true
  }

  /** Gives back bytes that were taken. */
  give(bytes: number): void {
    this.#usedBytes -= bytes
  }
}

/** The memory that one owner holds. */
export interface Held {
  /** Holds so many more bytes. Throws `memory_full` where fewer are left. */
  add(bytes: number): void
  /** Releases so many bytes. */
  release(bytes: number): void
  /** Releases all of them. */
  drop(): void
}

class HeldMemory implements Held {
  readonly #budget: MemoryBudget
  #bytes = 0
  #isOver = false

  constructor(budget: MemoryBudget) {
    this.#budget = budget
  }

  add(bytes: number): void {
    // An owner that has ended holds nothing more.
    if (this.#isOver) return
    if (!this.#budget.take(bytes)) throw new ApiError('memory_full')
    this.#bytes += bytes
  }

  release(bytes: number): void {
    const given = Math.min(bytes, this.#bytes)
    this.#bytes -= given
    this.#budget.give(given)
  }

  drop(): void {
    this.release(this.#bytes)
    this.#isOver = true
  }
}
