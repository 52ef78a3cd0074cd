/** The objects that one process remembers: a client asks for one again and again. */
const REMEMBERED_MAX = 10_000
const ID_BYTES = 16

/**
 * The objects whose cost is booked: batches, and responses, which tell it each time that they are fetched. An object's booking has an id
 * that follows from the object, so that it is in the books once also where several processes book it.
 *
 * @example
 * const id = objects.take('openai', 'batch_1')
 * if (id !== 'booked') book({ ...row, id })
 */
export class BookedObjects {
  readonly #sha256: (text: string) => Uint8Array
  readonly #booked = new Set<string>()

  constructor(sha256: (text: string) => Uint8Array) {
    this.#sha256 = sha256
  }

  /** The id of an object's booking, the first time that it is asked for; then it counts as booked. */
  take(upstream: string, object: string): string {
    const key = `${upstream} ${object}`
    if (this.#booked.has(key)) return 'booked'
    const [oldest] = this.#booked
    if (this.#booked.size >= REMEMBERED_MAX && oldest !== undefined) this.#booked.delete(oldest)
    this.#booked.add(key)
    return this.#sha256(`nexcode booking ${key}`).subarray(0, ID_BYTES).toHex()
  }
}
