import { LRUCache } from 'lru-cache'
import type { Store, StoreBounds, StoreStats } from './store.ts'

/** What the store in memory needs. */
export interface MemoryStoreOptions extends StoreBounds {
  /** Milliseconds since 1970. */
  readonly now: () => number
}

interface Entry {
  readonly value: Uint8Array<ArrayBuffer>
  readonly scope: string
  readonly expiresAt: number
}

/** What an entry costs beside its key, its scope and its value: measured. */
const ENTRY_BYTES = 640
/** The garbage of less is not worth a collection of its own. */
const COLLECTED_BYTES_MIN = 16 * 1024 * 1024

/**
 * Makes a store in this process's memory. An entry counts with its key and with what keeping it costs, so that `bytesMax` is
 * what the process grows by. What has been taken out stays with the process until its garbage is collected, which the store asks
 * for each time that a quarter of its bound has been taken in: under a steady stream of new entries it may grow by half as much again.
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
  readonly #entries: LRUCache<string, Entry>
  /** Bytes taken in since the garbage was last asked for. */
  #takenIn = 0

  constructor({ bytesMax, entriesMax, now }: MemoryStoreOptions) {
    this.#bytesMax = bytesMax
    this.#entriesMax = entriesMax
    this.#now = now
    // Its own limit on entries would take memory for all of them at once; a limit of 0 it does not take.
    this.#entries = new LRUCache({ maxSize: Math.max(1, bytesMax) })
  }

  get(key: string): Uint8Array<ArrayBuffer> | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.expiresAt > this.#now()) return entry.value
    this.#entries.delete(key)
    return undefined
  }

  set(key: string, value: Uint8Array, options: { readonly ttlMs: number; readonly scope: string }): void {
    const { ttlMs, scope } = options
    const size = ENTRY_BYTES + key.length + scope.length + value.byteLength
    this.#entries.delete(key)
    if (!(ttlMs > 0) || size > this.#bytesMax || this.#entriesMax < 1) return
    if (this.#entries.size >= this.#entriesMax) this.#entries.pop()
    this.#entries.set(key, { value: new Uint8Array(value), scope, expiresAt: this.#now() + ttlMs }, { size })
    this.#collectAfter(size)
  }

  /** Left alone, the runtime lets its heap double before it looks for what has been taken out; this goes on beside the requests. */
  #collectAfter(size: number): void {
    this.#takenIn += size
    if (this.#takenIn < Math.max(this.#bytesMax / 4, COLLECTED_BYTES_MIN)) return
    this.#takenIn = 0
    Bun.gc(false)
  }

  delete(key: string): boolean {
    const entry = this.#entries.peek(key)
    this.#entries.delete(key)
    return entry !== undefined && entry.expiresAt > this.#now()
  }

  purge(scope?: string): number {
    const at = this.#now()
    let purged = 0
    for (const [key, entry] of [...this.#entries.entries()]) {
      if (scope !== undefined && entry.scope !== scope) continue
      this.#entries.delete(key)
      if (entry.expiresAt > at) purged += 1
    }
    return purged
  }

  stats(): StoreStats {
    return { entries: this.#entries.size, bytes: this.#entries.calculatedSize }
  }

  close(): void {
    this.#entries.clear()
  }
}
