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

  /** Begins to hold something that is let go when its owner ends. */
  hold(owner: Owner): Held {
    const held = new HeldMemory(this)
    owner.atEnd(() => held.drop())
    return held
  }

  /** Has somebody asked to let something go wherever more is wanted than is left; who gives false has nothing that could be. */
  relieveBy(relieve: () => boolean): void {
    this.#relieve = relieve
  }

  /** Takes so many bytes; false: there are not as many left. */
  take(bytes: number): boolean {
    while (this.#usedBytes + bytes > this.bytesMax) {
      // Nobody is made to go for what would not fit into all of it.
      if (bytes > this.bytesMax || this.#relieve?.() !== true) return false
    }
    this.#usedBytes += bytes
    return true
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.#usedBytes -= bytes
  }
}

/** The memory that one owner holds. */
export interface Held {
  /** So many bytes more are held. Throws `memory_full` where there are not as many left. */
  add(bytes: number): void
  /** So many are let go. */
  release(bytes: number): void
  /** Lets all of it go. */
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
