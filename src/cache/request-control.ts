import { durationKind } from '../config/scalar-kinds.ts'
import { readCacheControl, secondsOf } from './cache-control.ts'

/** A request's wishes about the cache, in HTTP's own words (RFC 9111 §5.2.1) and in ours. */
export interface RequestControl {
  /** Whether a stored answer will do. */
  readonly mayLook: boolean
  /** Whether the answer may be stored. */
  readonly mayStore: boolean
  /** The highest age of a stored answer that will do. */
  readonly maxAgeMs: number
  /** No upstream may be asked. */
  readonly onlyIfCached: boolean
  /** How long the answer is stored. */
  readonly ttlMs: number
}

/** How long answers are stored, and the longest time that a caller may ask for. */
export interface TtlSettings {
  readonly ttlMs: number
  readonly ttlMaxMs: number
}

/**
 * Reads a request's wishes about the cache: `Cache-Control` (`no-store`, `no-cache`, `max-age`, `only-if-cached`), and
 * `x-nexcode-cache-ttl`, in seconds or as a duration such as `10m`. A malformed value counts as absent.
 *
 * @example
 * const control = readRequestControl(request.headers, { ttlMs: 3_600_000, ttlMaxMs: 86_400_000 })
 */
export function readRequestControl(headers: Headers, settings: TtlSettings): RequestControl {
  const directives = readCacheControl(headers.get('cache-control'))
  const hasNoStore = directives.has('no-store')
  const maxAgeSeconds = secondsOf(directives, 'max-age')
  const ttlMs = Math.min(readTtl(headers.get('x-nexcode-cache-ttl')) ?? settings.ttlMs, settings.ttlMaxMs)
  return {
    mayLook: !(hasNoStore || directives.has('no-cache')),
    mayStore: !hasNoStore && ttlMs > 0,
    maxAgeMs: maxAgeSeconds === undefined ? Number.POSITIVE_INFINITY : maxAgeSeconds * 1000,
    onlyIfCached: directives.has('only-if-cached'),
    ttlMs,
  }
}

function readTtl(text: string | null): number | undefined {
  if (text === null) return undefined
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const parsed = durationKind.parse(text)
  return parsed.ok ? parsed.value : undefined
}
