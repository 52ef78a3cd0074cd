/** How much a memo keeps. */
export interface MemoBounds {
  /** When there are as many results, the oldest one makes place for a new one. */
  readonly entriesMax: number
  /** Results of longer keys are not kept; absent: all results are. */
  readonly keyCharsMax?: number
}

/**
 * Keeps the last results of a computation. The keys are chosen by callers, so their number has no limit.
 *
 * @example
 * const found = memo.get(key) ?? memo.set(key, workOut(key))
 */
export class BoundedMemo<T extends NonNullable<unknown>> {
  readonly #entriesMax: number
  readonly #keyCharsMax: number
  readonly #results = new Map<string, T>()

  constructor({ entriesMax, keyCharsMax = Infinity }: MemoBounds) {
    this.#entriesMax = entriesMax
    this.#keyCharsMax = keyCharsMax
  }

  /** The result of a key; undefined: none is kept. */
  get(key: string): T | undefined {
    return this.#results.get(key)
  }

  /** Keeps a result, unless its key is too long, and gives it back. */
  set(key: string, result: T): T {
    if (key.length > this.#keyCharsMax) return result
    if (this.#results.size >= this.#entriesMax) {
      const [oldest] = this.#results.keys()
      if (oldest !== undefined) this.#results.delete(oldest)
    }
    this.#results.set(key, result)
    return result
  }

  /** The results that are kept. */
  values(): IterableIterator<T> {
    return this.#results.values()
  }
}

/**
 * Makes a function of one text keep its last results, undefined among them. An exception is not kept.
 *
 * @example
 * const roleOf = memoize(findRole, { entriesMax: 512, keyCharsMax: 64 })
 */
export function memoize<T>(workOut: (key: string) => T, bounds: MemoBounds): (key: string) => T {
  const memo = new BoundedMemo<{ readonly result: T }>(bounds)
  return (key) => (memo.get(key) ?? memo.set(key, { result: workOut(key) })).result
}
