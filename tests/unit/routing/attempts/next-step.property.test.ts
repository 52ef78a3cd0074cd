import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { backOffMs } from '../../../../src/routing/attempts/next-step.ts'
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
