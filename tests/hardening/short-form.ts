import { expect, test } from 'bun:test'
import { DEFAULT_SEED, type HardeningSuite } from './suite.ts'

const SHORT_MS_MAX = 60_000
const PROPERTY_SEED = Number(process.env['PROPERTY_SEED'] ?? DEFAULT_SEED)

/**
 * Declares the two tests of a suite's short form: that it can fail, and that its promise holds.
 *
 * @example
 * testShortForm(suite)
 */
export function testShortForm(suite: HardeningSuite): void {
  test(`${suite.name} can fail: it finds the fault of a stand-in that is wrong`, () => suite.prove(), SHORT_MS_MAX)

  test(
    suite.promise,
    async () => {
      const seed = Number.isInteger(PROPERTY_SEED) ? PROPERTY_SEED : DEFAULT_SEED
      const { cases, failures } = await suite.run({ seed, isShort: true, only: undefined, report: () => undefined })
      expect(failures).toEqual([])
      expect(cases).toBeGreaterThan(0)
    },
    SHORT_MS_MAX,
  )
}
