import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseRetryAfter } from '../../../../src/routing/attempts/retry-after.ts'

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
