import { expect, test } from 'bun:test'
import type { Outcome } from '../../../src/exchange/outcome.ts'
import { SentCalls } from '../../../src/metering/sent-calls.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import { createUsageTally } from '../../../src/openai/usage/usage-tally.ts'
import { PriceBook } from '../../../src/pricing/price-book.ts'
import type { PreparedRequest } from '../../../src/requests/prepared-request.ts'
import type { Deployment } from '../../../src/routing/targets/deployment.ts'

const PRICES = new PriceBook({ date: '2026-01-01', sources: [], tools: {}, providers: {} }, [
  { pattern: 'gpt', price: { prices: { input: 1000, output: 4000 } } },
  { pattern: 'mini', price: { prices: { input: 100, output: 400 } } },
])

const NOTHING = createUsageTally().told()
const LEFT: Outcome = { kind: 'cancelled' }

function deploymentOf(model: string): Deployment {
  return { model, upstream: { name: 'one', provider: undefined, auth: 'server' } } as unknown as Deployment
}

const GPT = deploymentOf('gpt')
const MINI = deploymentOf('mini')

/** The calls of one request whose prompt is of 1,000 tokens, and whose answer of 100 at the most. */
function callsOf(stream = false): { readonly calls: SentCalls; readonly request: PreparedRequest } {
  const request = {
    exchange: {
      abort: new AbortController(),
      requestTarget: '/v1/chat/completions',
      principal: { kind: 'token' },
      stream,
      onceArrived: (callback: () => void) => callback(),
    },
    outgoing: { model: 'smart', modelFor: ({ model }: Deployment) => model },
    deployment: undefined,
  } as unknown as PreparedRequest
  const units = { asked: { inputText: 1000 }, tokens: 1100, images: 0, amount: 0n, picture: undefined }
  return { calls: new SentCalls(request, units, PRICES), request }
}

test('a request that was never sent costs nothing, and is of no deployment', () => {
  const { calls } = callsOf()
  expect(calls.deployment).toBeUndefined()
  expect(calls.total(NOTHING, LEFT, undefined)).toMatchObject({ cost: 0, told: { isEstimated: false } })
})

test('one that was sent and left costs its prompt, and what is written in an hour is half of its cap', () => {
  const { calls } = callsOf()
  calls.add(GPT, performance.now() - 3_600_000)
  const { cost, told } = calls.total(NOTHING, LEFT, undefined)
  expect(cost).toBe(1_000_000 + 50 * 4000)
  expect(told).toMatchObject({ isEstimated: true, usage: { inputText: 1000, outputText: 50 } })
})

test('nothing is taken to be written after the end of an attempt', () => {
  const { calls, request } = callsOf()
  calls.add(GPT, 1000).endedAt = 2000
  calls.add(GPT, 2000).isBilled = false
  expect(calls.costSoFar(() => NOTHING)).toBe(1_000_000 + 30 * 4000)
  expect(calls.total(NOTHING, LEFT, undefined).cost).toBe(1_000_000 + 30 * 4000)
  expect(calls.deployment).toBe(GPT)
  expect(request.deployment).toBeUndefined()
})

test('no budget is overspent by what is only guessed', () => {
  const { calls } = callsOf()
  calls.add(GPT, performance.now() - 3_600_000)
  expect(calls.total(NOTHING, LEFT, 1_100_000n).cost).toBe(1_000_000)
})

test('what was refused, what nobody got and what was wrong in form cost nothing', () => {
  const { calls } = callsOf(true)
  calls.add(GPT, 0).isBilled = false
  expect(calls.total(NOTHING, LEFT, undefined).cost).toBe(0)
  const { calls: others, request } = callsOf(true)
  others.add(GPT, 0)
  request.deployment = GPT
  others.status = 200
  const cause = new ApiError('upstream_invalid_response')
  expect(others.total(NOTHING, { kind: 'failed', cause }, undefined).cost).toBe(0)
  expect(others.total(NOTHING, { kind: 'failed', cause: new Error('reset') }, undefined).cost).toBe(1_000_000)
})

test('an answer and the calls before it are one total, each at the price of its own target', () => {
  const { calls, request } = callsOf(true)
  calls.add(GPT, 0).endedAt = 5
  calls.add(MINI, 5)
  expect(calls.costSoFar(() => NOTHING)).toBe(1_000_000 + 100_000)
  request.deployment = MINI
  calls.status = 200
  const tally = createUsageTally()
  tally.add({ usage: { prompt_tokens: 900, completion_tokens: 10 } })
  const { cost, told } = calls.total(tally.told(), { kind: 'complete' }, undefined)
  expect(cost).toBe(1_000_000 + 94_000)
  expect(told).toMatchObject({ isEstimated: true, usage: { inputText: 1900, outputText: 10 } })
})
