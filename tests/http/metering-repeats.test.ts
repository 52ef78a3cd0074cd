import { expect, test } from 'bun:test'
import { answerUsed, errorOf, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import { byHand, fail } from '../helpers/upstream-scripts.ts'

const CACHE = { cache: { store: 'memory', scope: 'shared' } }
const USED = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'gpt-4o-2024-08-06',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
}

/** Waits until the upstream has been asked so many times, and answers the last of them. */
async function answerNext(gateway: MeteredGateway): Promise<void> {
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.json(USED)
}

test('a stored answer costs nothing, and what it has saved is booked', async () => {
  await using gateway = await startMetered(answerUsed(1000, 100), { file: CACHE })
  const key = await gateway.key({ spend_limit: { day: 100 } })
  for (const cache of ['MISS', 'HIT', 'HIT']) {
    const answer = await gateway.ask(key, { temperature: 0 })
    expect(answer.headers.get('x-nexcode-cache')).toBe(cache)
    await answer.text()
  }
  const sum = await gateway.booked(3)
  expect(sum.requests).toBe(3)
  expect(sum.cost).toBe(3_500_000n)
  expect(sum.saved).toBe(7_000_000n)
  expect(gateway.upstreams.openai.requests).toHaveLength(1)
})

test('a stored answer counts as a request, and a spent budget still gets it', async () => {
  await using gateway = await startMetered(answerUsed(400_000, 0), { file: CACHE })
  const key = await gateway.key({
    spend_limit: { day: 101 },
    rate_limits: [{ model: '*', max_requests_per_1_minute: 3 }],
  })
  const ask = (): Promise<Response> => gateway.ask(key, { temperature: 0, max_tokens: 10 })
  expect((await ask()).status).toBe(200)
  expect((await ask()).headers.get('x-nexcode-cache')).toBe('HIT')
  expect((await ask()).headers.get('x-nexcode-cache')).toBe('HIT')
  const refused = await ask()
  expect(refused.status).toBe(429)
  expect((await errorOf(refused)).type).toBe('requests')
})

test('equal calls under way are one: its first caller pays, and the others nothing', async () => {
  await using gateway = await startMetered(byHand, { file: CACHE })
  const key = await gateway.key({ spend_limit: { day: 100 } })
  const answers = Promise.all([gateway.ask(key, { temperature: 0 }), gateway.ask(key, { temperature: 0 })])
  await answerNext(gateway)
  for (const answer of await answers) expect(((await answer.json()) as typeof USED).usage).toEqual(USED.usage)
  const sum = await gateway.booked(2)
  expect(sum.cost).toBe(3_500_000n)
  expect(gateway.upstreams.openai.requests).toHaveLength(1)
})

test('a refusal of one caller’s limits is not another one’s that waits for the same answer', async () => {
  await using gateway = await startMetered(answerUsed(1000, 100), { file: CACHE })
  const poor = await gateway.key({ spend_limit: { day: 1 } })
  const rich = await gateway.key()
  const ask = (key: string): Promise<Response> => gateway.ask(key, { temperature: 0, max_tokens: 16_000 })
  const [first, ...others] = await Promise.all([ask(poor), ask(rich), ask(rich)])
  expect(first.status).toBe(400)
  expect(others.map(({ status }) => status)).toEqual([200, 200])
})

test('a repeated request with its Idempotency-Key is made and paid once', async () => {
  await using gateway = await startMetered(answerUsed(1000, 100))
  const key = await gateway.key({ spend_limit: { day: 100 } })
  const once = { 'idempotency-key': 'one' }
  for (let time = 0; time < 3; time += 1) expect((await gateway.ask(key, {}, once)).status).toBe(200)
  const sum = await gateway.booked(3)
  expect(sum.cost).toBe(3_500_000n)
  expect(sum.saved).toBe(7_000_000n)
  expect(gateway.upstreams.openai.requests).toHaveLength(1)
})

test('a call that another attempt answers is booked once', async () => {
  await using gateway = await startMetered(fail(503), { file: { retry: { attempts: 2, base: '1ms' } } })
  const key = await gateway.key({ spend_limit: { day: 100 } })
  const asking = gateway.ask(key)
  await gateway.upstreams.openai.request(1)
  gateway.upstreams.openai.play(answerUsed(1000, 100))
  expect((await asking).status).toBe(200)
  const sum = await gateway.booked(1)
  expect([sum.requests, sum.cost]).toEqual([1, 3_500_000n])
})

test('so many calls may be under way at once, and each end leaves a place', async () => {
  await using gateway = await startMetered(byHand)
  const key = await gateway.key({ concurrency: 1 })
  const first = gateway.ask(key)
  const { connection } = await gateway.upstreams.openai.arrival()
  const refused = await gateway.ask(key)
  expect(refused.status).toBe(429)
  expect((await errorOf(refused)).message).toContain('on concurrent requests: Limit 1')
  connection.json(USED)
  await (await first).text()
  const second = gateway.ask(key)
  await answerNext(gateway)
  expect((await second).status).toBe(200)
})
