import { expect, test } from 'bun:test'
import { writeDollars } from '../../../../src/formats/text/dollars.ts'

test.each([
  [0n, '0.00'],
  [5_000_000_000n, '5.00'],
  [1_500_000n, '0.0015'],
  [1n, '0.000000001'],
  [-2_500_000_000n, '-2.50'],
])('%p nano-dollars are $%s, exactly', (nano, text) => {
  expect(writeDollars(nano)).toBe(text)
})
