import { BlockArena } from './block-arena.ts'

/** An entry as it is kept: a piece of the arena or, where that is large, an object. */
export type KeptEntry = number | LargeEntry

interface LargeEntry {
  readonly expiresAt: number
  readonly scope: string
  readonly value: Uint8Array<ArrayBuffer>
}

/** As many bytes are worth an object of their own, which is handed out without a copy. */
const LARGE_BYTES_MIN = 16 * 1024
const LARGE_ENTRY_BYTES = 300
/** In front of each value in the arena: when it expires, and the lengths of its scope and of itself. The scope follows. */
const HEAD_BYTES = 16
/** One for all: it is copied at once. */
const HEAD = new Uint8Array(HEAD_BYTES)
const HEAD_FIELDS = new DataView(HEAD.buffer)
const TO_BYTES = new TextEncoder()
const TO_TEXT = new TextDecoder()

/**
 * Entries of a store in memory: values, each with its scope and the time when it expires, in milliseconds since 1970.
 *
 * @example
 * const entries = new KeptEntries()
 * const kept = entries.keep(value, { scope, expiresAt })
 * const bytes = entries.valueOf(kept)
 * entries.free(kept)
 */
export class KeptEntries {
  readonly #arena = new BlockArena()

  /** What an entry takes, in bytes. */
  static sizeOf(valueBytes: number, scope: string): number {
    if (valueBytes >= LARGE_BYTES_MIN) return LARGE_ENTRY_BYTES + scope.length + valueBytes
    return BlockArena.sizeOf(HEAD_BYTES + TO_BYTES.encode(scope).byteLength + valueBytes)
  }

  /** Keeps a copy of a value. */
  keep(value: Uint8Array, { scope, expiresAt }: { readonly scope: string; readonly expiresAt: number }): KeptEntry {
    if (value.byteLength >= LARGE_BYTES_MIN) return { expiresAt, scope, value: new Uint8Array(value) }
    const scopeBytes = TO_BYTES.encode(scope)
    HEAD_FIELDS.setFloat64(0, expiresAt)
    HEAD_FIELDS.setUint32(8, scopeBytes.byteLength)
    HEAD_FIELDS.setUint32(12, value.byteLength)
    return this.#arena.put([HEAD, scopeBytes, value], HEAD_BYTES + scopeBytes.byteLength + value.byteLength)
  }

  /** The bytes of a value: not to be written to. */
  valueOf(kept: KeptEntry): Uint8Array<ArrayBuffer> {
    if (typeof kept !== 'number') return kept.value
    const scopeBytes = this.#arena.uint32At(kept, 8)
    return this.#arena.copy(kept, HEAD_BYTES + scopeBytes, this.#arena.uint32At(kept, 12))
  }

  expiryOf(kept: KeptEntry): number {
    return typeof kept === 'number' ? this.#arena.float64At(kept, 0) : kept.expiresAt
  }

  scopeOf(kept: KeptEntry): string {
    if (typeof kept !== 'number') return kept.scope
    return TO_TEXT.decode(this.#arena.copy(kept, HEAD_BYTES, this.#arena.uint32At(kept, 8)))
  }

  /** Lets an entry go. */
  free(kept: KeptEntry): void {
    if (typeof kept === 'number') this.#arena.free(kept)
  }
}
