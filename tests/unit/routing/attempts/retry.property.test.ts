import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { backOffMs } from '../../../../src/routing/attempts/next-step.ts'
import { parseRetryAfter } from '../../../../src/routing/attempts/retry-after.ts'
import { RESILIENCE } from '../targets/router-parts.ts'

const SETTINGS = fc.record({
  baseMs: fc.integer({ min: 0, max: 60_000 }),
  maxMs: fc.integer({ min: 0, max: 600_000 }),
  retryAfterMaxMs: fc.integer({ min: 0, max: 600_000 }),
})
const SHARE = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test('a back-off is never longer than its bounds, and never ends before Retry-After', () => {
  fc.assert(
    fc.property(
      SETTINGS,
      fc.integer({ min: 0, max: 100 }),
      fc.option(fc.integer({ min: 0, max: 1_000_000 }), { nil: undefined }),
      SHARE,
      (some, repeat, retryAfterMs, share) => {
        const settings = { ...RESILIENCE.retry, ...some }
        const waitMs = backOffMs(settings, repeat, retryAfterMs, () => share)
        if (retryAfterMs !== undefined && retryAfterMs > some.retryAfterMaxMs) {
          expect(waitMs).toBeUndefined()
          return
        }
        const ceilingMs = Math.min(some.maxMs, some.baseMs * 2 ** repeat)
        expect(waitMs).toBeGreaterThanOrEqual(retryAfterMs ?? 0)
        expect(waitMs).toBeLessThanOrEqual(Math.max(ceilingMs, (retryAfterMs ?? 0) + some.baseMs))
      },
    ),
    { numRuns: 1000 },
  )
})

test('every date of HTTP that is to come is as many whole seconds away as it says', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), fc.integer({ min: 0, max: 100_000 }), (now, seconds) => {
      const headers = new Headers({ 'retry-after': new Date((now + seconds) * 1000).toUTCString() })
      expect(parseRetryAfter(headers, now * 1000)).toBe(seconds * 1000)
    }),
    { numRuns: 500 },
  )
})

test('whatever a server says, it is a time that can be waited for or nothing', () => {
  const value = fc.oneof(fc.string({ unit: fc.constantFrom(...'0123456789.-+eE ,:GMTSunNov') }), fc.string())
  fc.assert(
    fc.property(value, (text) => {
      const headers = new Headers()
      try {
        headers.set('retry-after', text)
      } catch {
        return
      }
      const ms = parseRetryAfter(headers, 0)
      if (ms !== undefined) expect(Number.isFinite(ms) && ms >= 0).toBe(true)
    }),
    { numRuns: 1000 },
  )
})
