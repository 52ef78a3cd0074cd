import type { Settings } from '../config/settings.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Recalled } from '../requests/prepared-request.ts'
import type { CacheLookupDeps } from './answer-from-cache.ts'
import { replayAnswer } from './answers/replay-answer.ts'
import { tellNow } from './cache-headers.ts'
import { type Found, findStored } from './find-stored.ts'
import type { KnownHit } from './known-hits.ts'

/**
 * Answers a request of which it is known that its answer was in the store. undefined: the answer is gone, or too old by now.
 *
 * @example
 * const recalling = recallHit(exchange, settings, hit, { store, decoded, now, sleep })
 */
export function recallHit(
  exchange: Exchange,
  settings: Settings,
  hit: KnownHit,
  deps: CacheLookupDeps,
): Recalled | undefined | Promise<Recalled | undefined> {
  const use = (found: Found): Recalled | undefined => {
    if (typeof found === 'string') return undefined
    exchange.model = hit.model
    exchange.stream = hit.stream
    exchange.rules = hit.rules
    exchange.params = hit.params
    // The body is let go: the answer may be a stream of minutes.
    void exchange.body?.whole()
    exchange.body = undefined
    const { storedAt, ttlMs } = found
    return {
      answer: replayAnswer(found, settings.cache.pace, deps),
      mark: (headers) => tellNow({ exchange, settings }, headers, { word: 'HIT', storedAt, ttlMs }, hit.key),
    }
  }
  const looking = findStored(hit.key, hit.control, deps)
  return looking instanceof Promise ? looking.then(use) : use(looking)
}
