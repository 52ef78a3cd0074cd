import { LRUCache } from 'lru-cache'
import type { Store, StoreBounds, StoreStats } from '../store.ts'
import { KeptEntries, type KeptEntry } from './kept-entries.ts'

/** The options of the store in memory. */
export interface MemoryStoreOptions extends StoreBounds {
  /** Milliseconds, from any beginning. */
  readonly now: () => number
}

/** The cost of an entry besides its key and its value: measured. */
const KEY_BYTES = 300
/** The approximate garbage of a request that keeps or gets an answer: measured. */
const SET_GARBAGE_BYTES = 32 * 1024
const GET_GARBAGE_BYTES = 16 * 1024
/** A smaller heap is collected often enough by itself. */
const GARBAGE_BYTES_MIN = 32 * 1024 * 1024
const TO_BYTES = new TextEncoder()
const TO_TEXT = new TextDecoder()

/**
 * Makes a store in this process's memory. An entry counts with its key and the cost of keeping it, so that the process
 * grows by `bytesMax`. Most values lie in an arena: to the garbage collector an entry is its key and a number.
 *
 * @example
 * const store = createMemoryStore({ bytesMax: 64 * 1024 * 1024, entriesMax: 100_000, now: Date.now })
 */
export function createMemoryStore(options: MemoryStoreOptions): Store {
  return new MemoryStore(options)
}

class MemoryStore implements Store {
  readonly name = 'memory'
  readonly #bytesMax: number
  readonly #entriesMax: number
  readonly #now: () => number
  readonly #entries = new KeptEntries()
  readonly #keys: LRUCache<string, KeptEntry>
  /** The approximate garbage, in bytes, of the requests since the last collection asked for here. */
  #garbage = 0

  constructor({ bytesMax, entriesMax, now }: MemoryStoreOptions) {
    this.#bytesMax = bytesMax
    this.#entriesMax = entriesMax
    this.#now = now
    this.#keys = new LRUCache({
      // The map's own limit on entries would take memory for all of them at once, and it does not take a limit of 0.
      maxSize: Math.max(1, bytesMax),
      dispose: (kept) => this.#entries.free(kept),
    })
  }

  get(key: string): Uint8Array<ArrayBuffer> | undefined {
    const kept = this.#keys.get(key)
    if (kept === undefined) return undefined
    if (!this.#isAlive(kept)) {
      this.#keys.delete(key)
      return undefined
    }
    const value = this.#entries.valueOf(kept)
    this.#leaveGarbage(GET_GARBAGE_BYTES + value.byteLength)
    return value
  }

  set(key: string, value: Uint8Array, options: { readonly ttlMs: number; readonly scope: string }): void {
    const { ttlMs } = options
    const scope = TO_BYTES.encode(options.scope)
    const size = KEY_BYTES + key.length + KeptEntries.sizeOf(value, scope)
    this.#keys.delete(key)
    if (!(ttlMs > 0) || size > this.#bytesMax || this.#entriesMax < 1) return
    // Room is made before the entry is kept, so that it takes the evicted entries' place.
    while (this.#keys.size >= this.#entriesMax || this.#keys.calculatedSize + size > this.#bytesMax) this.#keys.pop()
    this.#keys.set(key, this.#entries.keep(value, { scope, expiresAt: this.#now() + ttlMs }), { size })
    this.#leaveGarbage(SET_GARBAGE_BYTES + value.byteLength)
  }

  /**
   * Asks for a collection where the runtime would let garbage pile up: it counts the arena as part of its heap, and lets that
   * double. It goes on beside the requests.
   */
  #leaveGarbage(bytes: number): void {
    this.#garbage += bytes
    // A purge leaves the arena as large as it was.
    const held = Math.max(this.#keys.calculatedSize, this.#entries.arenaBytes)
    if (this.#garbage < Math.max(GARBAGE_BYTES_MIN, held / 4)) return
    this.#garbage = 0
    if (held > GARBAGE_BYTES_MIN) Bun.gc(false)
  }

  delete(key: string): boolean {
    const kept = this.#keys.peek(key)
    if (kept === undefined) return false
    const isAlive = this.#isAlive(kept)
    this.#keys.delete(key)
    return isAlive
  }

  purge(scope?: string): number {
    let purged = 0
    for (const [key, kept] of [...this.#keys.entries()]) {
      if (scope !== undefined && TO_TEXT.decode(this.#entries.scopeOf(kept)) !== scope) continue
      if (this.#isAlive(kept)) purged += 1
      this.#keys.delete(key)
    }
    return purged
  }

  stats(): StoreStats {
    return { entries: this.#keys.size, bytes: this.#keys.calculatedSize }
  }

  close(): void {
    this.#keys.clear()
  }

  #isAlive(kept: KeptEntry): boolean {
    return this.#entries.expiryOf(kept) > this.#now()
  }
}
