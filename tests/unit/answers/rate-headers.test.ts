import { expect, test } from 'bun:test'
import { addRateHeaders } from '../../../src/answers/rate-headers.ts'

const OURS = { requestRate: { limit: 60, remaining: 10, resetMs: 1000 }, tokenRate: undefined }

test('the tighter of two limits is shown, as a whole', () => {
  const headers = new Headers({
    'x-ratelimit-limit-requests': '500',
    'x-ratelimit-remaining-requests': '499',
    'x-ratelimit-reset-requests': '120ms',
    'x-ratelimit-remaining-tokens': '7',
  })
  addRateHeaders(headers, OURS)
  expect(Object.fromEntries(headers)).toEqual({
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-remaining-requests': '10',
    'x-ratelimit-reset-requests': '1s',
    'x-ratelimit-remaining-tokens': '7',
  })
})

test('the upstream’s stays where it leaves less, or as much', () => {
  for (const remaining of ['9', '10']) {
    const headers = new Headers({ 'x-ratelimit-remaining-requests': remaining })
    addRateHeaders(headers, OURS)
    expect(Object.fromEntries(headers)).toEqual({ 'x-ratelimit-remaining-requests': remaining })
  }
})
