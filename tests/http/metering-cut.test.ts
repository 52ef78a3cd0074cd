import { expect, test } from 'bun:test'
import { LONG_PROMPT, OF_PROMPT } from '../helpers/long-prompt.ts'
import { answerUsed, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { byHand, fail, SSE } from '../helpers/upstream-scripts.ts'

/** The most that a model can have written in the time that a test takes. */
const OF_TEST = 30 * 60 * 10_000

function expectPromptOf(cost: bigint, prompts = 1): void {
  expect(Number(cost)).toBeGreaterThanOrEqual(OF_PROMPT * prompts)
  expect(Number(cost)).toBeLessThan(OF_PROMPT * prompts * 1.05 + OF_TEST)
}

/** Asks, and leaves once the upstream has got all of the request. */
async function askAndLeave(gateway: MeteredGateway, key: string, body: object = {}, path?: string): Promise<void> {
  const leaving = new AbortController()
  const asking = fetch(`${gateway.url}${path ?? '/v1/chat/completions'}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', ...LONG_PROMPT, ...body }),
    signal: leaving.signal,
  })
  const { request } = await gateway.upstreams.openai.arrival()
  await request.body
  leaving.abort()
  await asking.catch(() => undefined)
}

for (const [what, options] of [
  ['its only target', { settings: undefined }],
  ['the target of a file', {}],
] as const)
  for (const [form, limits] of [
    ['a key with a budget', { spend_limit: { day: 1000 } }],
    ['a key without limits', {}],
  ] as const)
    test(`a call of ${form} that its caller leaves before an answer costs its prompt, at ${what}`, async () => {
      await using gateway = await startMetered(byHand, options as object)
      const key = await gateway.key(limits)
      for (const stream of [false, true]) await askAndLeave(gateway, key, { stream, max_tokens: 10_000 })
      const sum = await gateway.booked(2)
      expect(sum.requests).toBe(2)
      expectPromptOf(sum.cost, 2)
      if ('spend_limit' in limits) expect(await gateway.spend(key)).toEqual({ spent: sum.cost, held: 0n })
    })

test('a call that gets no answer in time costs its prompt, at each attempt that was sent', async () => {
  await using gateway = await startMetered(byHand, {
    file: { retry: { attempts: 3, base: '1ms', on: ['timeout'] }, timeouts: { first_byte: '50ms' } },
  })
  const key = await gateway.key({ spend_limit: { day: 1000 } })
  expect((await gateway.ask(key, LONG_PROMPT)).status).toBe(504)
  const sum = await gateway.booked(1)
  expect(sum.requests).toBe(1)
  expectPromptOf(sum.cost, 3)
  expect(await gateway.spend(key)).toEqual({ spent: sum.cost, held: 0n })
})

test('a call that may be sent again, and billed again, holds what it reads for each time', async () => {
  await using gateway = await startMetered(byHand, { file: { retry: { attempts: 3, on: ['timeout'] } } })
  const key = await gateway.key({ spend_limit: { day: 1000 } })
  const leaving = new AbortController()
  const asking = fetch(`${gateway.url}/v1/embeddings`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'text-embedding-3-small', input: 'word '.repeat(4000) }),
    signal: leaving.signal,
  })
  await gateway.upstreams.openai.request(1)
  // 5,000 tokens at 20 nano-dollars, three times.
  expect((await gateway.spend(key)).held).toBeGreaterThanOrEqual(300_000n)
  leaving.abort()
  await asking.catch(() => undefined)
  const sum = await gateway.booked(1)
  expect(Number(sum.cost) / 100_000).toBeCloseTo(1, 1)
  expect(await gateway.spend(key)).toEqual({ spent: sum.cost, held: 0n })
})

test('an answer behind an attempt that got none costs what both did', async () => {
  await using gateway = await startMetered(byHand, {
    file: { retry: { attempts: 2, base: '1ms', on: ['reset'] } },
  })
  const key = await gateway.key({ spend_limit: { day: 1000 } })
  const asking = gateway.ask(key, LONG_PROMPT)
  const { request, connection } = await gateway.upstreams.openai.arrival()
  await request.body
  gateway.upstreams.openai.play(answerUsed(5000, 100))
  connection.reset()
  expect((await asking).status).toBe(200)
  const sum = await gateway.booked(1)
  expect(sum.requests).toBe(1)
  expectPromptOf(sum.cost - 1_000_000n, 2)
})

test('an upstream that refuses, or that nobody reaches, costs nothing', async () => {
  await using gateway = await startMetered(fail(500), { file: { retry: { attempts: 2, base: '1ms', on: [500] } } })
  const key = await gateway.key({ spend_limit: { day: 1000 } })
  expect((await gateway.ask(key, LONG_PROMPT)).status).toBe(500)
  gateway.upstreams.openai.play(fail(429))
  expect((await gateway.ask(key, LONG_PROMPT)).status).toBe(429)
  await gateway.upstreams.openai.close()
  expect((await gateway.ask(key, LONG_PROMPT)).status).toBe(502)
  const sum = await gateway.booked(3)
  expect([sum.requests, sum.cost]).toEqual([3, 0n])
})

/** Begins an answer, and breaks its connection. */
function breakBehind(begin: (connection: Parameters<Script>[1]) => void): Script {
  return async (request, connection) => {
    await request.body
    begin(connection)
    await Bun.sleep(0)
    connection.socket.end()
  }
}

for (const [what, begin] of [
  ['a stream', (one) => one.startChunked(200, SSE)],
  [
    'a short answer',
    (one) => one.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n'),
  ],
  [
    'a long answer',
    (one) => one.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900000\r\n\r\n'),
  ],
] as const satisfies readonly (readonly [string, (connection: Parameters<Script>[1]) => void])[])
  test(`${what} that breaks off behind its head costs its prompt`, async () => {
    await using gateway = await startMetered(breakBehind(begin))
    const key = await gateway.key({ spend_limit: { day: 1000 } })
    await (await gateway.ask(key, { ...LONG_PROMPT, stream: what === 'a stream' })).text().catch(() => undefined)
    expectPromptOf((await gateway.booked(1)).cost)
  })
