import { expect, test } from 'bun:test'
import { beginStream, endOf, LONG_PROMPT, OF_PROMPT, OF_WORDS } from '../helpers/long-prompt.ts'
import { answerUsed, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import { byHand } from '../helpers/upstream-scripts.ts'

const FILE = { cache: { store: 'memory', scope: 'shared' } }
const LIMIT = { spend_limit: { day: 1000 } }
const STREAM = { ...LONG_PROMPT, temperature: 0, stream: true, max_tokens: 10_000 }

interface Reading {
  /** Reads on to the end. */
  readonly rest: () => Promise<void>
  readonly leave: () => void
}

/** Asks for the stream, and reads its first words. */
async function read(gateway: MeteredGateway, key: string): Promise<Reading> {
  const leaving = new AbortController()
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', ...STREAM }),
    signal: leaving.signal,
  })
  const reader = answer.body?.getReader()
  await reader?.read()
  return {
    leave: () => leaving.abort(),
    async rest() {
      while ((await reader?.read())?.done === false);
    },
  }
}

/** A gateway, and two callers who read one stream: the first one's call. */
async function readBoth() {
  const gateway = await startMetered(beginStream, { file: FILE })
  const [first, second] = [await gateway.key(LIMIT), await gateway.key(LIMIT)]
  const leader = await read(gateway, first)
  const follower = await read(gateway, second)
  const { connection } = await gateway.upstreams.openai.arrival()
  expect(gateway.upstreams.openai.requests).toHaveLength(1)
  return { gateway, first, second, leader, follower, connection }
}

test('a stream that two callers read is paid by the first, also where that one leaves before its end', async () => {
  const { gateway, first, second, leader, follower, connection } = await readBoth()
  await using _ = gateway
  leader.leave()
  await gateway.line(({ msg, outcome }) => msg === 'exchange' && outcome === 'cancelled')
  expect((await gateway.spend(first)).held).toBeGreaterThan(0n)
  connection.chunk(endOf(1000, 100))
  connection.endChunks()
  await follower.rest()
  const sum = await gateway.booked(2)
  expect([sum.requests, sum.cost]).toEqual([2, 3_500_000n])
  expect(await gateway.spend(first)).toEqual({ spent: 3_500_000n, held: 0n })
  expect(await gateway.spend(second)).toEqual({ spent: 0n, held: 0n })
})

test('a stream that both of its callers leave costs what was seen of it, to the first', async () => {
  const { gateway, first, second, leader, follower, connection } = await readBoth()
  await using _ = gateway
  follower.leave()
  leader.leave()
  await connection.closed
  const sum = await gateway.booked(2)
  expect(sum.requests).toBe(2)
  expect(Number(sum.cost) / (OF_PROMPT + OF_WORDS)).toBeCloseTo(1, 1)
  expect(await gateway.spend(first)).toEqual({ spent: sum.cost, held: 0n })
  expect(await gateway.spend(second)).toEqual({ spent: 0n, held: 0n })
})

test('a stream that breaks off for two callers is paid once, by the first', async () => {
  const { gateway, first, second, leader, follower, connection } = await readBoth()
  await using _ = gateway
  connection.reset()
  await Promise.allSettled([leader.rest(), follower.rest()])
  const sum = await gateway.booked(2)
  expect(Number(sum.cost) / (OF_PROMPT + OF_WORDS)).toBeCloseTo(1, 1)
  expect(await gateway.spend(first)).toEqual({ spent: sum.cost, held: 0n })
  expect(await gateway.spend(second)).toEqual({ spent: 0n, held: 0n })
})

test('a call under an Idempotency-Key goes on without its caller, who pays for all of it, and nothing for the repeat', async () => {
  await using gateway = await startMetered(byHand, { env: { ON_CLIENT_DISCONNECT: 'drain' } })
  const key = await gateway.key(LIMIT)
  const leaving = new AbortController()
  const once = { 'idempotency-key': 'once' }
  const asking = fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...once },
    body: JSON.stringify({ ...LONG_PROMPT, model: 'gpt-4o' }),
    signal: leaving.signal,
  })
  const { request, connection } = await gateway.upstreams.openai.arrival()
  await request.body
  leaving.abort()
  await asking.catch(() => undefined)
  await gateway.line(({ msg, outcome }) => msg === 'exchange' && outcome === 'cancelled')
  await answerUsed(1000, 100)(request, connection)
  expect((await gateway.ask(key, LONG_PROMPT, once)).status).toBe(200)
  const sum = await gateway.booked(2)
  expect([sum.cost, sum.saved]).toEqual([3_500_000n, 3_500_000n])
  expect(await gateway.spend(key)).toEqual({ spent: 3_500_000n, held: 0n })
})
