import { expect, test } from 'bun:test'
import { AnswerSizes } from '../../../src/metering/answer-sizes.ts'
import type { UncappedCall } from '../../../src/metering/call-units.ts'
import { createUsageTally } from '../../../src/openai/usage/usage-tally.ts'

const CALL: UncappedCall = { kind: 'proj_1 gpt-4o chat/completions', answers: 1 }
const WHOLE = 16_384n

function heard(...written: readonly number[]): AnswerSizes {
  const sizes = new AnswerSizes()
  for (const tokens of written) hear(sizes, CALL, tokens)
  return sizes
}

function hear(sizes: AnswerSizes, call: UncappedCall | undefined, tokens: number): void {
  const tally = createUsageTally()
  tally.add({ usage: { prompt_tokens: 1, completion_tokens: tokens, total_tokens: tokens + 1 } })
  sizes.hear(call, tally.told())
}

test('where nothing is known a short answer will do, and all that is left is held', () => {
  expect(heard().lesserAmounts(CALL.kind, WHOLE, BigInt)).toEqual({ most: WHOLE, usual: 500n, least: 500n })
})

test('twice the longest answer of late will do and is held; more is held where few have come', () => {
  expect(heard(1000).lesserAmounts(CALL.kind, WHOLE, BigInt)).toMatchObject({ most: 9000n, usual: 2000n })
  expect(heard(1000, 1000).lesserAmounts(CALL.kind, WHOLE, BigInt)).toMatchObject({ most: 5000n, usual: 2000n })
  expect(heard(...Array<number>(20).fill(1000)).lesserAmounts(CALL.kind, WHOLE, BigInt)).toMatchObject({
    most: 2000n,
    usual: 2000n,
  })
  expect(heard(...Array<number>(20).fill(20)).lesserAmounts(CALL.kind, WHOLE, BigInt)).toEqual({
    most: 500n,
    usual: 40n,
    least: 40n,
  })
})

test('a longer answer counts at once, and is forgotten slowly', () => {
  const many = Array<number>(20).fill(100)
  expect(heard(...many, 4000).lesserAmounts(CALL.kind, WHOLE, BigInt).usual).toBe(8000n)
  const after = Number(heard(4000, ...many).lesserAmounts(CALL.kind, WHOLE, BigInt).usual)
  expect(after).toBeGreaterThan(4000)
  const long = Number(heard(4000, ...Array<number>(400).fill(100)).lesserAmounts(CALL.kind, WHOLE, BigInt).usual)
  expect([long >= 200, long < 240]).toEqual([true, true])
})

test('each project, model and endpoint has sizes of its own, and several answers are several', () => {
  const sizes = heard(1000)
  expect(sizes.lesserAmounts('proj_2 gpt-4o chat/completions', WHOLE, BigInt).most).toBe(WHOLE)
  const twice = new AnswerSizes()
  hear(twice, { ...CALL, answers: 4 }, 1000)
  expect(twice.lesserAmounts(CALL.kind, WHOLE, BigInt).usual).toBe(500n)
})

test('a call with a cap, an answer that tells nothing, and an estimate say nothing', () => {
  const sizes = new AnswerSizes()
  hear(sizes, undefined, 1000)
  const tally = createUsageTally()
  tally.saw(9000)
  sizes.hear(CALL, tally.told())
  expect(sizes.lesserAmounts(CALL.kind, WHOLE, BigInt).most).toBe(WHOLE)
})
