import { expect, test } from 'bun:test'
import { SeenBytes } from '../../../../src/openai/usage/seen-bytes.ts'
import { createUsageTally } from '../../../../src/openai/usage/usage-tally.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const event = (text: string): string => `data: {"choices":[{"delta":{"content":"${text}"}}]}\n\n`

/** Gives the bytes of text that were counted, in the order in which they were told. */
function countsOf(chunks: readonly string[], isAsked = true): number[] {
  const counts: number[] = []
  const seen = new SeenBytes((bytes) => counts.push(bytes))
  for (const chunk of chunks) seen.add(bytesOf(chunk))
  if (isAsked) seen.count()
  return counts
}

test('the text of the first chunk is counted at once, and that of the others when somebody asks', () => {
  expect(countsOf([event('Hello'), event('you'), event('two')], false)).toEqual([5])
  expect(countsOf([event('Hello'), event('you'), event('two')])).toEqual([5, 6])
})

test('all text of a long stream is counted, and of a chunk that is longer than what is kept', () => {
  const events = Array.from({ length: 1000 }, () => event('twelve bytes'))
  const counts = countsOf([...events, event('x'.repeat(50_000)), event('end')])
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(12_000 + 50_000 + 3)
  expect(counts.length).toBeGreaterThan(10)
})

test('a text that goes on in the next chunks is counted in all of them', () => {
  const long = event('y'.repeat(9000))
  const parts = [long.slice(0, 100), long.slice(100, 3000), long.slice(3000, 8000), long.slice(8000)]
  expect(countsOf(parts).reduce((sum, count) => sum + count, 0)).toBe(9000)
})

test('a tally that is asked before the end knows what has passed so far', () => {
  const tally = createUsageTally()
  const seen = new SeenBytes((bytes) => tally.saw(bytes))
  tally.beforeTold(seen.count)
  expect(tally.told().isEstimated).toBe(false)
  for (let index = 0; index < 10; index += 1) seen.add(bytesOf(event('four')))
  expect(tally.told().usage.outputText).toBe(10)
  seen.add(bytesOf(event('four')))
  expect(tally.told().usage.outputText).toBe(11)
})
