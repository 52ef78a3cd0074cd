import type { Claims } from './claims.ts'

/** A place for bytes under keys, each for a time. */
export interface Store {
  readonly name: 'memory' | 'sqlite' | 'redis'
  /** The claims of all who share the store; undefined: the store is not shared. */
  readonly claims?: Claims | undefined
  /** undefined: not there, or expired. The bytes may be the store's own: neither to be written to nor to be transferred. */
  get(key: string): Uint8Array<ArrayBuffer> | undefined | Promise<Uint8Array<ArrayBuffer> | undefined>
  /**
   * Keeps a copy of the bytes, in place of the key's former ones. Where they are larger than the store, or the time is not
   * above 0, the key has no bytes afterwards. `scope` groups entries for `purge`.
   */
  set(key: string, value: Uint8Array, options: { readonly ttlMs: number; readonly scope: string }): void | Promise<void>
  /** Removes a key's entry, and says whether there was one. */
  delete(key: string): boolean | Promise<boolean>
  /** Removes all entries, or those of a scope, and gives their number. */
  purge(scope?: string): number | Promise<number>
  stats(): StoreStats | Promise<StoreStats>
  close(): void | Promise<void>
}

/** The contents of a store; expired entries may count until they are removed. */
export interface StoreStats {
  readonly entries: number
  /** Keys, values, and the cost of keeping them. */
  readonly bytes: number
}

/** The bounds of a store: the least recently used entries give way. */
export interface StoreBounds {
  readonly bytesMax: number
  readonly entriesMax: number
}
