import type { PreparedRequest } from '../requests/prepared-request.ts'
import { ageOf } from './answers/freshness.ts'

/** The cache's part in a request, as far as its client is told. `word` is the value of `x-nexcode-cache`. */
export type CacheStatus =
  | { readonly word: 'HIT'; readonly storedAt: number; readonly ttlMs: number }
  /** `why`: nothing was stored, or the stored answer is out of date. `isStored`: the answer is stored when it is complete. */
  | { readonly word: 'MISS'; readonly why?: 'miss' | 'stale'; readonly isStored: boolean }
  /** The request itself did not want the stored answer. */
  | { readonly word: 'REFRESH'; readonly isStored: boolean }
  /** An equal request of the same scope was under way. */
  | { readonly word: 'COALESCED' }
  /** `detail`: a token, such as `not-deterministic`. */
  | { readonly word: 'BYPASS'; readonly detail?: string }

/** The facts that are told beside the status. */
export interface CacheStatusDetails {
  /** Milliseconds since 1970. */
  readonly now: number
  /** For `purge`; shown where the operator has switched debug headers on. */
  readonly key?: string
}

/**
 * Writes the cache's status into an answer's headers: `x-nexcode-cache`, `Cache-Status` (RFC 9211) behind those of caches further up, and
 * the `Age` of a stored answer.
 *
 * @example
 * markCacheStatus(headers, { word: 'HIT', storedAt, ttlMs }, { now: Date.now() })
 */
export function markCacheStatus(headers: Headers, status: CacheStatus, { now, key }: CacheStatusDetails): void {
  headers.set('x-nexcode-cache', status.word)
  const keyParameter = key === undefined ? '' : `; key="${key}"`
  headers.append('cache-status', `nexcode${parametersOf(status, now)}${keyParameter}`)
  if (status.word === 'HIT') headers.set('age', String(Math.floor(ageOf(status, now) / 1000)))
}

/**
 * Has the answer's headers and the log tell the cache's status. `key` is shown where the operator has switched debug headers on.
 *
 * @example
 * tellCacheStatus(request, { word: 'COALESCED' }, key)
 */
export function tellCacheStatus(request: PreparedRequest, status: CacheStatus, key?: string): void {
  request.mark = (headers) => tellNow(request, headers, status, key)
}

/**
 * Tells the cache's status in the headers of an answer that is ready, and in the log.
 *
 * @example
 * tellNow({ exchange, settings }, response.headers, { word: 'HIT', storedAt, ttlMs }, key)
 */
export function tellNow(
  { exchange, settings }: Pick<PreparedRequest, 'exchange' | 'settings'>,
  headers: Headers,
  status: CacheStatus,
  key?: string,
): void {
  const isShown = key !== undefined && settings.debugHeaders
  markCacheStatus(headers, status, isShown ? { now: Date.now(), key } : { now: Date.now() })
  exchange.cache = status.word
}

function parametersOf(status: CacheStatus, now: number): string {
  switch (status.word) {
    case 'HIT':
      return `; hit; ttl=${Math.floor((status.ttlMs - ageOf(status, now)) / 1000)}`
    case 'MISS':
      return `; fwd=${status.why ?? 'miss'}${status.isStored ? '; stored' : ''}`
    case 'REFRESH':
      return `; fwd=request${status.isStored ? '; stored' : ''}`
    case 'COALESCED':
      return '; fwd=miss; collapsed'
    case 'BYPASS':
      return `; fwd=bypass${status.detail === undefined ? '' : `; detail=${status.detail}`}`
  }
}
