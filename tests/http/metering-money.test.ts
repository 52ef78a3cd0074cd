import { expect, test } from 'bun:test'
import { answerUsed, errorOf, startMetered } from '../helpers/metered-gateway.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { fail, SSE } from '../helpers/upstream-scripts.ts'

/** A dollar in nano-dollars. */
const DOLLAR = 1_000_000_000n

function chunkOf(content: string): string {
  return `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'gpt-4o-2024-08-06', choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`
}

/** Begins a stream of 400 bytes of words, and waits. */
function beginStream(then: (connection: Parameters<Script>[1]) => void): Script {
  return async (request, connection) => {
    await request.body
    connection.startChunked(200, SSE)
    connection.chunk(chunkOf('word '.repeat(80)))
    then(connection)
  }
}

test('a stream that its caller leaves costs what was seen of it: not nothing, and not what was reserved', async () => {
  await using gateway = await startMetered(beginStream(() => undefined))
  const key = await gateway.key({ spend_limit: { day: 1000 } })
  const leaving = new AbortController()
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'gpt-4o',
      stream: true,
      max_tokens: 10_000,
      messages: [{ role: 'user', content: 'hi' }],
    }),
    signal: leaving.signal,
  })
  await answer.body?.getReader().read()
  leaving.abort()
  const sum = await gateway.booked(1)
  // About 100 tokens of 400 bytes; 10,000 were reserved.
  expect(sum.cost).toBeGreaterThan(800_000n)
  expect(sum.cost).toBeLessThan(3_000_000n)
})

test('a stream that breaks off costs what was seen of it', async () => {
  await using gateway = await startMetered(beginStream(() => undefined))
  const key = await gateway.key({ spend_limit: { day: 1000 } })
  const answer = await gateway.ask(key, { stream: true, max_tokens: 10_000 })
  const reader = answer.body?.getReader()
  await reader?.read()
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.reset()
  const rest = async (): Promise<void> => {
    while ((await reader?.read())?.done === false);
  }
  await rest().catch(() => undefined)
  const sum = await gateway.booked(1)
  expect(sum.cost).toBeGreaterThan(800_000n)
  expect(sum.cost).toBeLessThan(3_000_000n)
})

test('an error of the upstream costs nothing, and holds nothing', async () => {
  await using gateway = await startMetered(fail(400))
  // Room for one call of 10,000 tokens at a time.
  const key = await gateway.key({ spend_limit: { day: 15 } })
  for (let call = 0; call < 5; call += 1) expect((await gateway.ask(key, { max_tokens: 10_000 })).status).toBe(400)
  gateway.upstreams.openai.play(fail(500))
  expect((await gateway.ask(key, { max_tokens: 10_000 })).status).toBe(500)
  const sum = await gateway.booked(6)
  expect(sum.cost).toBe(0n)
})

test('money that calls under way hold is told apart from money that is spent', async () => {
  await using gateway = await startMetered(beginStream(() => undefined))
  const key = await gateway.key({ spend_limit: { day: 15 } })
  const first = await gateway.ask(key, { stream: true, max_tokens: 10_000 })
  const second = await gateway.ask(key, { max_tokens: 10_000 })
  expect(second.status).toBe(429)
  expect(second.headers.get('x-should-retry')).toBe('true')
  expect((await errorOf(second)).code).toBe('rate_limit_exceeded')
  await first.body?.cancel()
})

test('a call that can cost more than the limit is 400: it will never be allowed', async () => {
  await using gateway = await startMetered(answerUsed(1, 1))
  const key = await gateway.key({ spend_limit: { day: 1 } })
  const refused = await gateway.ask(key, { max_tokens: 16_000 })
  expect(refused.status).toBe(400)
  expect((await errorOf(refused)).code).toBe('request_exceeds_limit')
})

test('where all is spent that is the reason, however much the next call may cost', async () => {
  await using gateway = await startMetered(answerUsed(100, 1000))
  const key = await gateway.key({ spend_limit: { day: 1 } })
  expect((await gateway.ask(key, { max_tokens: 900 })).status).toBe(200)
  await gateway.booked(1)
  const refused = await gateway.ask(key, { max_tokens: 10_000 })
  expect([refused.status, (await errorOf(refused)).code]).toEqual([429, 'insufficient_quota'])
  expect(refused.headers.get('x-should-retry')).toBe('false')
})

test('a project’s budget holds for all of its keys together', async () => {
  await using gateway = await startMetered(answerUsed(400_000, 0))
  const project = await gateway.project({ spend_limit: { month: 150 } })
  const [one, other] = [await gateway.key({}, project), await gateway.key({}, project)]
  expect((await gateway.ask(one, { max_tokens: 100 })).status).toBe(200)
  await gateway.booked(1)
  expect((await gateway.ask(other, { max_tokens: 100 })).status).toBe(200)
  await gateway.booked(2)
  const refused = await gateway.ask(one, { max_tokens: 100 })
  expect(refused.status).toBe(429)
  expect(refused.headers.get('x-nexcode-error-code')).toBe('project_spend_limit_exceeded')
  expect(refused.headers.get('x-nexcode-limit')).toContain('budget=month;scope=project;limit=1.50;spent=2.00')
})

test('of parallel calls only as many are let in as the budget can pay for', async () => {
  await using gateway = await startMetered(answerUsed(0, 10_000))
  // Ten cents a call.
  const key = await gateway.key({ spend_limit: { day: 55 } })
  const answers = await Promise.all(Array.from({ length: 20 }, () => gateway.ask(key, { max_tokens: 10_000 })))
  const good = answers.filter(({ status }) => status === 200)
  await Promise.all(answers.map((answer) => answer.text()))
  expect(good.length).toBeGreaterThan(0)
  expect(good.length).toBeLessThanOrEqual(5)
  const sum = await gateway.booked(good.length)
  expect(sum.cost).toBeLessThanOrEqual((DOLLAR * 55n) / 100n)
})

test('the log tells what a call used and cost, and on whose key', async () => {
  await using gateway = await startMetered(answerUsed(1000, 100))
  const key = await gateway.key()
  await (await gateway.ask(key)).text()
  const line = await gateway.line(({ msg, key: id }) => msg === 'exchange' && id !== undefined)
  expect(line).toMatchObject({ cost: 0.0035, input_tokens: 1000, output_tokens: 100 })
  expect(String(line['project'])).toStartWith('proj_')
})

test('with debug headers an answer tells what it has cost', async () => {
  await using gateway = await startMetered(answerUsed(1000, 100), { file: { debug_headers: true } })
  const key = await gateway.key()
  expect((await gateway.ask(key)).headers.get('x-nexcode-cost')).toBe('0.0035')
})

test('an upstream’s own limit is shown where it is the tighter one', async () => {
  await using gateway = await startMetered(
    answerUsed(1, 1, { 'x-ratelimit-limit-requests': '500', 'x-ratelimit-remaining-requests': '3' }),
  )
  const key = await gateway.key({ rate_limits: [{ model: '*', max_requests_per_1_minute: 100 }] })
  const answer = await gateway.ask(key)
  expect(answer.headers.get('x-ratelimit-limit-requests')).toBe('500')
  expect(answer.headers.get('x-ratelimit-remaining-requests')).toBe('3')
})

test('a caller’s own key pays for itself: its calls are in the books, and cost nothing here', async () => {
  await using gateway = await startMetered(answerUsed(1000, 100), {
    env: { REQUIRE_AUTH: 'false', API_TOKEN: '' },
    file: {},
    settings: { openai: { auth: 'caller' } },
  })
  expect((await gateway.ask('sk-callers-own')).status).toBe(200)
  const sum = await gateway.booked(1)
  expect(sum.usage['inputText']).toBe(1000)
  expect(sum.cost).toBe(0n)
})
