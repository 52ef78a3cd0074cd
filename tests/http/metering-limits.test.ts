import { expect, test } from 'bun:test'
import { answerUsed, errorOf, startMetered } from '../helpers/metered-gateway.ts'

test('a call is booked with what its answer says that it used, and costs what that costs', async () => {
  await using gateway = await startMetered(answerUsed(1000, 100))
  const key = await gateway.key()
  expect((await gateway.ask(key)).status).toBe(200)
  const sum = await gateway.booked(1)
  expect(sum.requests).toBe(1)
  expect(sum.usage['inputText']).toBe(1000)
  expect(sum.usage['outputText']).toBe(100)
  // gpt-4o: $2.50 and $10 a million.
  expect(sum.cost).toBe(3_500_000n)
})

test('the requests of a minute are limited: 429 in OpenAI’s words, with the time to wait', async () => {
  await using gateway = await startMetered(answerUsed(10, 5))
  const key = await gateway.key({ rate_limits: [{ model: '*', max_requests_per_1_minute: 2 }] })
  const first = await gateway.ask(key)
  expect(first.headers.get('x-ratelimit-limit-requests')).toBe('2')
  expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('1')
  expect(first.headers.get('x-ratelimit-reset-requests')).toMatch(/^(30|29)/)
  expect((await gateway.ask(key)).status).toBe(200)
  const refused = await gateway.ask(key)
  expect(refused.status).toBe(429)
  expect(refused.headers.get('x-should-retry')).toBe('true')
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(Number(refused.headers.get('retry-after-ms'))).toBeGreaterThan(0)
  expect(refused.headers.get('x-ratelimit-remaining-requests')).toBe('0')
  const { message, type, code } = await errorOf(refused)
  expect([type, code]).toEqual(['requests', 'rate_limit_exceeded'])
  expect(message).toMatch(
    /^Rate limit reached for gpt-4o in this key \(key_\w+\) on requests per min \(RPM\): Limit 2, Used 2, Requested 1\. Please try again in [\d.]+m?s\.$/,
  )
  expect(gateway.upstreams.openai.requests).toHaveLength(2)
  // Each model has a bucket of its own.
  expect((await gateway.ask(key, { model: 'gpt-4o-mini' })).status).toBe(200)
})

test('tokens of a minute count the prompt and the cap, and what was not used is given back', async () => {
  await using gateway = await startMetered(answerUsed(10, 5))
  const key = await gateway.key({ rate_limits: [{ model: 'gpt-*', max_tokens_per_1_minute: 1000 }] })
  const first = await gateway.ask(key, { max_tokens: 800 })
  expect(first.headers.get('x-ratelimit-limit-tokens')).toBe('1000')
  await first.text()
  // 800 were taken, 15 were used.
  expect((await gateway.ask(key, { max_tokens: 800 })).status).toBe(200)
  const never = await gateway.ask(key, { max_tokens: 2000 })
  expect(never.status).toBe(400)
  expect((await errorOf(never)).code).toBe('request_exceeds_limit')
})

test('a spent budget is 429 insufficient_quota, which no client tries again', async () => {
  await using gateway = await startMetered(answerUsed(100_000, 75_000))
  const key = await gateway.key({ spend_limit: { day: 101 } })
  // A dollar.
  expect((await gateway.ask(key, { max_tokens: 100 })).status).toBe(200)
  await gateway.booked(1)
  const refused = await gateway.ask(key, { max_tokens: 5000 })
  expect(refused.status).toBe(429)
  expect(refused.headers.get('x-should-retry')).toBe('false')
  expect(refused.headers.has('retry-after')).toBeFalse()
  expect(refused.headers.get('x-nexcode-error-code')).toBe('api_key_spend_limit_exceeded')
  expect(refused.headers.get('x-nexcode-limit')).toMatch(
    /^budget=day;scope=key;limit=1\.01;spent=1\.00;reset=\d{4}-\d\d-\d\dT00:00:00Z$/,
  )
  const { type, code } = await errorOf(refused)
  expect([type, code]).toEqual(['insufficient_quota', 'insufficient_quota'])
})

test('a budget and a model without a price: 403, and nothing is sent', async () => {
  await using gateway = await startMetered(answerUsed(1, 1))
  const key = await gateway.key({ spend_limit: { month: 100 } })
  const refused = await gateway.ask(key, { model: 'nobody-knows-its-price' })
  expect(refused.status).toBe(403)
  expect((await errorOf(refused)).code).toBe('model_not_priced')
  expect(gateway.upstreams.openai.requests).toHaveLength(0)
})

test('a model that is not permitted is answered as one that there is not', async () => {
  await using gateway = await startMetered(answerUsed(1, 1))
  const key = await gateway.key({ model_permissions: { mode: 'allow_list', model_ids: ['gpt-4o*'] } })
  expect((await gateway.ask(key, { model: 'gpt-4o-mini' })).status).toBe(200)
  const refused = await gateway.ask(key, { model: 'o3' })
  expect(refused.status).toBe(404)
  const { message, code } = await errorOf(refused)
  expect(code).toBe('model_not_found')
  expect(message).toBe('The model `o3` does not exist or you do not have access to it.')
  const fallback = await gateway.ask(key, { model: 'gpt-4o', models: ['gpt-4o', 'o3'] })
  expect(fallback.status).toBe(404)
  expect(gateway.upstreams.openai.requests).toHaveLength(1)
})
