import { describe, expect, test } from 'bun:test'
import { createRetryBudget } from '../../../../src/routing/attempts/retry-budget.ts'

describe('the budget', () => {
  test('is three at once where few requests are under way', () => {
    const { tryTake } = createRetryBudget(() => 1)
    const taken = [tryTake(10), tryTake(10), tryTake(10)]
    expect(taken.every((one) => one !== undefined)).toBe(true)
    expect(tryTake(10)).toBeUndefined()
    taken[0]?.()
    expect(tryTake(10)).toBeDefined()
    expect(tryTake(10)).toBeUndefined()
  })

  test('is a share of the requests under way at the moment', () => {
    let live = 100
    const { tryTake } = createRetryBudget(() => live)
    for (let time = 0; time < 10; time += 1) expect(tryTake(10)).toBeDefined()
    expect(tryTake(10)).toBeUndefined()
    expect(tryTake(11)).toBeDefined()
    live = 200
    for (let time = 0; time < 9; time += 1) expect(tryTake(10)).toBeDefined()
    expect(tryTake(10)).toBeUndefined()
  })

  test('takes back each of them once', () => {
    const { tryTake } = createRetryBudget(() => 0)
    const first = tryTake(0)
    for (let time = 0; time < 5; time += 1) first?.()
    for (let time = 0; time < 3; time += 1) expect(tryTake(0)).toBeDefined()
    expect(tryTake(0)).toBeUndefined()
  })

  test('of hedges is one at once where few requests are under way', () => {
    const { tryTake } = createRetryBudget(() => 10, 1)
    expect(tryTake(5)).toBeDefined()
    expect(tryTake(5)).toBeUndefined()
  })
})
