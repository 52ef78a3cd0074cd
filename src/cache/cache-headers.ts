import { HOP_BY_HOP } from '../formats/http/hop-by-hop.ts'
import { ageOf } from './answers/freshness.ts'

/** What the cache did with a request: the word in `x-nexcode-cache`. */
export type CacheWord = 'HIT' | 'MISS' | 'BYPASS' | 'COALESCED' | 'REFRESH'

/** How a request was served, as far as it is told. */
export type Served =
  | { readonly word: 'HIT'; readonly storedAt: number; readonly ttlMs: number }
  /** `why`: nothing was kept, or what was is out of date. `isStored`: the answer is kept when it is complete. */
  | { readonly word: 'MISS'; readonly why?: 'miss' | 'stale'; readonly isStored: boolean }
  /** The request itself did not want what was kept. */
  | { readonly word: 'REFRESH'; readonly isStored: boolean }
  /** Another caller's request of the same scope was under way. */
  | { readonly word: 'COALESCED' }
  /** `detail`: a token, such as `not-deterministic`. */
  | { readonly word: 'BYPASS'; readonly detail?: string }

/** What goes beside it. */
export interface ServedDetails {
  /** Milliseconds since 1970. */
  readonly now: number
  /** For `purge`: shown where an operator has asked for such headers. */
  readonly key?: string
}

/** Headers that are of one exchange, one connection, one client or one moment. */
const OF_ONE_EXCHANGE: ReadonlySet<string> = new Set([
  ...[
    'age',
    'alt-svc',
    'cache-status',
    'date',
    'nel',
    'report-to',
    'retry-after',
    'server-timing',
    'set-cookie',
    'via',
  ],
  ...HOP_BY_HOP,
  ...[
    'x-cache',
    'x-client-request-id',
    'x-runtime',
    'x-should-retry',
    'x-served-by',
    'x-timer',
    'traceparent',
    'tracestate',
  ],
])
const OF_ONE_EXCHANGE_BEGIN = /^(?:access-control-|cf-|x-nexcode-|x-envoy-|x-amzn-trace|x-b3-)/
const OF_ONE_EXCHANGE_PART = /request-?id|correlation-?id|trace-?id|rate-?limit|processing-ms|response-time/

/**
 * Gives the headers of an answer that are kept with it: those that say something of the answer, such as its type, coding and
 * `openai-version`, and not of the exchange that it came in.
 *
 * @example
 * const answer = { status: 200, headers: storedHeaders(response.headers), … }
 */
export function storedHeaders(headers: Headers): [name: string, value: string][] {
  return [...headers].filter(([name]) => !isOfOneExchange(name))
}

function isOfOneExchange(name: string): boolean {
  return OF_ONE_EXCHANGE.has(name) || OF_ONE_EXCHANGE_BEGIN.test(name) || OF_ONE_EXCHANGE_PART.test(name)
}

/**
 * Says in an answer's headers how the cache served it: `x-nexcode-cache`, `Cache-Status` (RFC 9211) behind those of caches
 * further up, and the `Age` of what was kept.
 *
 * @example
 * markServed(headers, { word: 'HIT', storedAt, ttlMs }, { now: Date.now() })
 */
export function markServed(headers: Headers, served: Served, { now, key }: ServedDetails): void {
  headers.set('x-nexcode-cache', served.word)
  const keyParameter = key === undefined ? '' : `; key="${key}"`
  headers.append('cache-status', `nexcode${parametersOf(served, now)}${keyParameter}`)
  if (served.word === 'HIT') headers.set('age', String(Math.floor(ageOf(served, now) / 1000)))
}

function parametersOf(served: Served, now: number): string {
  switch (served.word) {
    case 'HIT':
      return `; hit; ttl=${Math.floor((served.ttlMs - ageOf(served, now)) / 1000)}`
    case 'MISS':
      return `; fwd=${served.why ?? 'miss'}${served.isStored ? '; stored' : ''}`
    case 'REFRESH':
      return `; fwd=request${served.isStored ? '; stored' : ''}`
    case 'COALESCED':
      return '; fwd=miss; collapsed'
    case 'BYPASS':
      return `; fwd=bypass${served.detail === undefined ? '' : `; detail=${served.detail}`}`
  }
}
