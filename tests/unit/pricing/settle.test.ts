import { describe, expect, test } from 'bun:test'
import { NO_USAGE, type ToldUsage } from '../../../src/openai/usage/usage.ts'
import type { KnownPrice } from '../../../src/pricing/price.ts'
import { priceTierOf, settleCost } from '../../../src/pricing/settle.ts'

const PRICE: KnownPrice = {
  price: { prices: { input: 10, output: 20 }, tiers: { flex: { prices: { input: 5, output: 10 } } } },
  by: 'table',
}

function told(changes: Partial<ToldUsage>): Pick<ToldUsage, 'usage' | 'cost'> {
  return { usage: { ...NO_USAGE, inputText: 3, outputText: 2 }, cost: undefined, ...changes }
}

describe('a call costs', () => {
  test('what its answer says, whatever the price', () => {
    expect(settleCost(told({ cost: 7 }), PRICE, 'default')).toEqual({ cost: 7, by: 'answer' })
    expect(settleCost(told({ cost: 0 }), undefined, 'default')).toEqual({ cost: 0, by: 'answer' })
  })

  test('the price of the tier that has served it', () => {
    expect(settleCost(told({}), PRICE, 'default')).toEqual({ cost: 70, by: 'table' })
    expect(settleCost(told({}), PRICE, 'flex')).toEqual({ cost: 35, by: 'table' })
    expect(settleCost(told({}), { ...PRICE, by: 'file' }, 'batch')).toEqual({ cost: 70, by: 'file' })
  })

  test('nobody knows what, where it has no price: that is told, and not taken for nothing', () => {
    expect(settleCost(told({}), undefined, 'default')).toEqual({ cost: 0, by: 'none' })
  })

  test('at least what has a price, where a part of it has none', () => {
    const usage = { ...NO_USAGE, inputText: 3, webSearches: 1 }
    expect(settleCost(told({ usage }), PRICE, 'default')).toEqual({ cost: 30, by: 'none' })
    const drawn = { ...NO_USAGE, inputText: 3, outputText: 2, images: 1 }
    expect(settleCost(told({ usage: drawn }), PRICE, 'default')).toEqual({ cost: 70, by: 'none' })
  })
})

test.each([
  [undefined, false, 'default'],
  ['default', false, 'default'],
  ['auto', false, 'default'],
  ['scale', false, 'default'],
  ['constructor', false, 'default'],
  ['flex', false, 'flex'],
  ['priority', false, 'priority'],
  ['fast', false, 'priority'],
  ['batch', false, 'batch'],
  ['flex', true, 'batch'],
] as const)('service_tier %s (in a batch: %p) is priced as %s', (served, isBatch, tier) => {
  expect(priceTierOf(served, isBatch)).toBe(tier)
})
