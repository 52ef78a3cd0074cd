import type { Settings } from '../config/settings.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { markCacheStatus } from './cache-headers.ts'
import type { Reused } from './reuse-request.ts'

/**
 * Says where an answer came from, in its headers and in the log.
 *
 * @example
 * tellServed(response.headers, reused, exchange, snapshot.settings)
 */
export function tellServed(
  headers: Headers,
  { served, key, idempotent }: Reused,
  exchange: Exchange,
  { debugHeaders }: Settings,
): void {
  exchange.idempotent = idempotent
  if (idempotent !== undefined) headers.set('idempotent-replayed', 'true')
  if (served === undefined) return
  const isShown = debugHeaders && key !== undefined
  markCacheStatus(headers, served, { now: Date.now(), ...(isShown && { key }) })
  exchange.cache = served.word
}
