import { MIB } from './scalar-kinds.ts'
import type { CacheSettings, ExtensionSettings, Settings } from './settings.ts'

/** The part of the settings that says what is done with requests and answers on the way. */
export type AnsweringSettings = Pick<Settings, 'cache' | 'extensions' | 'idempotencyMs' | 'onDisconnect'>

/** A cache about which nothing is said: none. */
export const CACHE_DEFAULTS: CacheSettings = {
  store: undefined,
  bytesMax: 256 * MIB,
  entriesMax: 100_000,
  answerBytesMax: 8 * MIB,
  ttlMs: 3_600_000,
  ttlMaxMs: 30 * 86_400_000,
  requests: 'deterministic',
  scope: 'principal',
  pace: 'instant',
}

/** An extension about which nothing is said but where it is. */
export const EXTENSION_DEFAULTS: Omit<ExtensionSettings, 'path'> = { options: {}, onError: 'fail', timeoutMs: 5000 }

/** Nothing is done with them. */
export const NO_ANSWERING: AnsweringSettings = {
  cache: CACHE_DEFAULTS,
  extensions: [],
  idempotencyMs: 600_000,
  onDisconnect: 'cancel',
}
