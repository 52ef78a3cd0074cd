import { LRUCache } from 'lru-cache'
import { BlockArena } from './block-arena.ts'
import type { Store, StoreBounds, StoreStats } from './store.ts'

/** What the store in memory needs. */
export interface MemoryStoreOptions extends StoreBounds {
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** In front of each value: when it expires, and the lengths of its scope and of itself. The scope follows. */
const HEAD_BYTES = 16
/** What an entry costs beside its key and its blocks: measured. */
const ENTRY_BYTES = 300
/** What a request that keeps or gets an answer leaves for the garbage collector, about: measured. */
const SET_GARBAGE_BYTES = 32 * 1024
const GET_GARBAGE_BYTES = 16 * 1024
/** A heap of less is collected often enough by itself. */
const GARBAGE_BYTES_MIN = 32 * 1024 * 1024
const TO_BYTES = new TextEncoder()
const TO_TEXT = new TextDecoder()

/**
 * Makes a store in this process's memory. An entry counts with its key and with what keeping it costs, so that `bytesMax` is
 * what the process grows by. The values lie in an arena: to the garbage collector an entry is its key and a number.
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
  readonly #arena = new BlockArena()
  /** Bytes that the requests since the last collection that was asked for have left, about. */
  #garbage = 0
  /** The piece in the arena of each key. */
  readonly #pieces: LRUCache<string, number>

  constructor({ bytesMax, entriesMax, now }: MemoryStoreOptions) {
    this.#bytesMax = bytesMax
    this.#entriesMax = entriesMax
    this.#now = now
    this.#pieces = new LRUCache({
      // Its own limit on entries would take memory for all of them at once; a limit of 0 it does not take.
      maxSize: Math.max(1, bytesMax),
      dispose: (piece) => this.#arena.free(piece),
    })
  }

  get(key: string): Uint8Array<ArrayBuffer> | undefined {
    const piece = this.#pieces.get(key)
    if (piece === undefined) return undefined
    if (!this.#isAlive(piece)) {
      this.#pieces.delete(key)
      return undefined
    }
    const valueBytes = this.#arena.uint32At(piece, 12)
    this.#leaveGarbage(GET_GARBAGE_BYTES + valueBytes)
    return this.#arena.copy(piece, this.#valueAt(piece), valueBytes)
  }

  set(key: string, value: Uint8Array, options: { readonly ttlMs: number; readonly scope: string }): void {
    const { ttlMs } = options
    const scope = TO_BYTES.encode(options.scope)
    const length = HEAD_BYTES + scope.byteLength + value.byteLength
    const size = ENTRY_BYTES + key.length + BlockArena.sizeOf(length)
    this.#pieces.delete(key)
    if (!(ttlMs > 0) || size > this.#bytesMax || this.#entriesMax < 1) return
    // Before it is put there, so that it takes the place of what goes.
    while (this.#pieces.size >= this.#entriesMax || this.#pieces.calculatedSize + size > this.#bytesMax)
      this.#pieces.pop()
    const head = new Uint8Array(HEAD_BYTES)
    const fields = new DataView(head.buffer)
    fields.setFloat64(0, this.#now() + ttlMs)
    fields.setUint32(8, scope.byteLength)
    fields.setUint32(12, value.byteLength)
    this.#pieces.set(key, this.#arena.put([head, scope, value], length), { size })
    this.#leaveGarbage(SET_GARBAGE_BYTES + value.byteLength)
  }

  /**
   * Asks for a collection where the runtime would let garbage pile up: it counts the arena as part of its heap, and lets that
   * double. It goes on beside the requests.
   */
  #leaveGarbage(bytes: number): void {
    this.#garbage += bytes
    if (this.#garbage < Math.max(GARBAGE_BYTES_MIN, this.#arena.bytes / 8)) return
    this.#garbage = 0
    if (this.#arena.bytes > GARBAGE_BYTES_MIN) Bun.gc(false)
  }

  delete(key: string): boolean {
    const piece = this.#pieces.peek(key)
    if (piece === undefined) return false
    const isAlive = this.#isAlive(piece)
    this.#pieces.delete(key)
    return isAlive
  }

  purge(scope?: string): number {
    let purged = 0
    for (const [key, piece] of [...this.#pieces.entries()]) {
      if (scope !== undefined && this.#scopeOf(piece) !== scope) continue
      if (this.#isAlive(piece)) purged += 1
      this.#pieces.delete(key)
    }
    return purged
  }

  stats(): StoreStats {
    return { entries: this.#pieces.size, bytes: this.#pieces.calculatedSize }
  }

  close(): void {
    this.#pieces.clear()
  }

  #isAlive(piece: number): boolean {
    return this.#arena.float64At(piece, 0) > this.#now()
  }

  #valueAt(piece: number): number {
    return HEAD_BYTES + this.#arena.uint32At(piece, 8)
  }

  #scopeOf(piece: number): string {
    return TO_TEXT.decode(this.#arena.copy(piece, HEAD_BYTES, this.#valueAt(piece) - HEAD_BYTES))
  }
}
