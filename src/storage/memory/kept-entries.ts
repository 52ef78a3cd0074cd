import { BlockArena } from './block-arena.ts'

/** An entry as it is kept: a piece of the arena or, where that is large, an object. */
export type KeptEntry = number | LargeEntry

interface LargeEntry extends EntryNote {
  readonly value: Uint8Array<ArrayBuffer>
}

/** The facts kept with a value. */
export interface EntryNote {
  /** In UTF-8. */
  readonly scope: Uint8Array
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** From this size on a value has an object of its own, which is handed out without a copy. */
const LARGE_BYTES_MIN = 16 * 1024
const LARGE_ENTRY_BYTES = 300
/** In front of each value in the arena: when it expires, and the lengths of its scope and of itself. The scope follows. */
const HEAD_BYTES = 16
/** One buffer for all heads: it is copied at once. */
const HEAD = new Uint8Array(HEAD_BYTES)
const HEAD_FIELDS = new DataView(HEAD.buffer)

/**
 * Entries of a store in memory: values, each with its scope and the time when it expires.
 *
 * @example
 * const entries = new KeptEntries()
 * const kept = entries.keep(value, { scope, expiresAt })
 * const bytes = entries.valueOf(kept)
 * entries.free(kept)
 */
export class KeptEntries {
  readonly #arena = new BlockArena()

  /** Gives the memory that an entry takes, in bytes. */
  static sizeOf(value: Uint8Array, scope: Uint8Array): number {
    const bytes = scope.byteLength + value.byteLength
    return value.byteLength < LARGE_BYTES_MIN ? BlockArena.sizeOf(HEAD_BYTES + bytes) : LARGE_ENTRY_BYTES + bytes
  }

  /** The memory taken from the system for small entries, in bytes; some of it may be free. */
  get arenaBytes(): number {
    return this.#arena.bytes
  }

  /** Keeps a copy of a value; a large value with a buffer of its own is kept itself, and must not be written to from now on. */
  keep(value: Uint8Array, { scope, expiresAt }: EntryNote): KeptEntry {
    if (value.byteLength >= LARGE_BYTES_MIN) return { expiresAt, scope, value: ownBytes(value) }
    HEAD_FIELDS.setFloat64(0, expiresAt)
    HEAD_FIELDS.setUint32(8, scope.byteLength)
    HEAD_FIELDS.setUint32(12, value.byteLength)
    return this.#arena.put(HEAD, scope, value)
  }

  /** The bytes of a value: not to be written to. */
  valueOf(kept: KeptEntry): Uint8Array<ArrayBuffer> {
    if (typeof kept !== 'number') return kept.value
    const scopeBytes = this.#arena.uint32At(kept, 8)
    return this.#arena.copy(kept, HEAD_BYTES + scopeBytes, this.#arena.uint32At(kept, 12))
  }

  /** Milliseconds since 1970. */
  expiryOf(kept: KeptEntry): number {
    return typeof kept === 'number' ? this.#arena.float64At(kept, 0) : kept.expiresAt
  }

  /** In UTF-8. */
  scopeOf(kept: KeptEntry): Uint8Array {
    return typeof kept === 'number' ? this.#arena.copy(kept, HEAD_BYTES, this.#arena.uint32At(kept, 8)) : kept.scope
  }

  /** Frees an entry. */
  free(kept: KeptEntry): void {
    if (typeof kept === 'number') this.#arena.free(kept)
  }
}

/** A larger value with a buffer of its own is not copied: copying tens of megabytes would keep all others waiting. */
const COPIED_BYTES_MAX = 1024 * 1024

/** Gives a copy of some bytes; very many bytes with a buffer of their own are given themselves, and must not be written to any more. */
export function ownBytes(value: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = value
  const isItsOwn = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
  return isItsOwn && byteLength > COPIED_BYTES_MAX ? new Uint8Array(buffer) : new Uint8Array(value)
}
