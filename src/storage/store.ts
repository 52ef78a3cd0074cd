import type { Claims } from './claims.ts'

/** A place for bytes under keys, each for a time. */
export interface Store {
  readonly name: 'memory' | 'sqlite' | 'redis'
  /** The claims of all who share the store; undefined: the store is not shared. */
  readonly claims?: Claims | undefined
  /** undefined: not there, or expired. The bytes may be the store's own: neither to be written to nor to be transferred. */
  get(key: string): Uint8Array<ArrayBuffer> | undefined | Promise<Uint8Array<ArrayBuffer> | undefined>
  /**
   * Keeps a copy of the bytes, in the place of what the key had. Bytes that are larger than the store, and a time that is not
   * above 0, leave the key with nothing. `scope` groups entries for `purge`.
   */
  set(key: string, value: Uint8Array, options: { readonly ttlMs: number; readonly scope: string }): void | Promise<void>
  /** Whether the key had something. */
  delete(key: string): boolean | Promise<boolean>
  /** Takes out all entries, or those of a scope; gives how many. */
  purge(scope?: string): number | Promise<number>
  stats(): StoreStats | Promise<StoreStats>
  close(): void | Promise<void>
}

/** The contents of a store; expired entries may count until they are removed. */
export interface StoreStats {
  readonly entries: number
  /** Keys, values, and what keeping them costs. */
  readonly bytes: number
}

/** How much a store may hold: what was used least recently gives way. */
export interface StoreBounds {
  readonly bytesMax: number
  readonly entriesMax: number
}
