import { expect, test } from 'bun:test'
import { writeResetTime } from '../../../../src/formats/text/reset-time.ts'

test.each([
  [0, '0s'],
  [6, '6ms'],
  [1574, '1.574s'],
  [20_000, '20s'],
  [360_000, '6m0s'],
  [72_500, '1m12.5s'],
  [3_723_000, '1h2m3s'],
  [3_600_000, '1h0m0s'],
])('%p milliseconds are written as OpenAI writes them: %s', (ms, text) => {
  expect(writeResetTime(ms)).toBe(text)
})
