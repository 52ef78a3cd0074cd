import { expect, test } from 'bun:test'
import type { Sample, ScenarioResult } from '../results.ts'
import { compare, formatNumber, formatRatio, formatSpread } from './figures.ts'

const sample = (cpu: number): Sample => ({ cpu, perSecond: 1, p50Ms: 1, p99Ms: 1, tried: 1, failed: 0 })
const scenario = (samples: Record<string, Sample[]>): ScenarioResult => ({
  name: 'a',
  title: 'A',
  unit: 'request',
  samples,
})

test('a spread is the median, the least and the largest', () => {
  expect(formatSpread([3, 1, 2])).toBe('2.00 (1.00–3.00)')
  expect(formatSpread([0.0123])).toBe('0.012')
  expect(formatSpread([])).toBe('–')
})

test('a figure that can not be had is a dash, never NaN', () => {
  expect(formatNumber(Number.NaN)).toBe('–')
  expect(formatNumber(Number.POSITIVE_INFINITY)).toBe('–')
})

test('ratios are made within each round', () => {
  const result = scenario({ ours: [sample(2), sample(8), sample(3)], base: [sample(1), sample(4), sample(1)] })
  const ratios = compare(result, ['ours', ({ cpu }) => cpu], 'base', (value, other) => value / other)
  expect(ratios).toEqual([2, 2, 3])
  expect(formatRatio(ratios)).toBe('2.00×')
})

test('rounds that only one of two has are not compared', () => {
  const result = scenario({ ours: [sample(2)], base: [sample(1), sample(4)] })
  expect(compare(result, ['ours', ({ cpu }) => cpu], 'base', (value, other) => value / other)).toEqual([])
})
