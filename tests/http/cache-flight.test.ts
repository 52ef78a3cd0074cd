import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { beginStream, DONE, event, FIXED } from '../helpers/cache-calls.ts'
import { perTest } from '../helpers/per-test.ts'
import { haveBegun, openRawClient, postText, type RawClient } from '../helpers/raw-client.ts'
import type { Script, UpstreamConnection } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { fail } from '../helpers/upstream-scripts.ts'

setDefaultTimeout(60_000)

const start = perTest(startGateway)
const BODY = '{"messages":[{"role":"user","content":"hi"}],"model":"m","temperature":0,"stream":true}'
const EVENTS = [event('a'), event('b'), event('c'), DONE]
const WHOLE = EVENTS.join('')

/** An upstream whose streams go on when the test says so. */
function held() {
  const connections: UpstreamConnection[] = []
  const waiting: ((connection: UpstreamConnection) => void)[] = []
  const script: Script = async (request, connection) => {
    await request.body
    connections.push(connection)
    for (const resolve of waiting.splice(0)) resolve(connection)
  }
  const first = (): Promise<UpstreamConnection> => {
    const [had] = connections
    return had === undefined ? new Promise((resolve) => void waiting.push(resolve)) : Promise.resolve(had)
  }
  return { script, first }
}

async function ask({ port }: TestGateway, headers: Readonly<Record<string, string>> = {}): Promise<RawClient> {
  const client = await openRawClient(port)
  client.write(postText('/v1/chat/completions', BODY, headers))
  return client
}

/** Resolves when the gateway has so many of the body's texts for a client. */
function got(client: RawClient, text: string): Promise<unknown> {
  return client.until((received) => received.includes(text))
}

/** Has followers join a flight. */
async function followers(gateway: TestGateway, count: number): Promise<RawClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => ask(gateway)))
  await haveBegun(gateway.port)
  return clients
}

const LIMITED = { settings: { one: { concurrency: { max: 1, queue: 0 } } }, file: { cache: {} } }

describe('one flight', () => {
  for (const chunks of [0, 1, 2, 3]) {
    test(`the leader leaves after ${chunks} chunks: its followers get the whole stream, of one call`, async () => {
      const { script, first } = held()
      const gateway = await start({ upstreams: { one: script }, ...LIMITED })
      const leader = await ask(gateway)
      const upstream = await first()
      let isClosed = false
      void upstream.closed.then(() => (isClosed = true))
      const early = await followers(gateway, 98)
      if (chunks > 0) beginStream(upstream)
      for (const text of EVENTS.slice(0, chunks)) upstream.chunk(text)
      if (chunks > 0) await Promise.all([leader, ...early].map((client) => got(client, EVENTS[chunks - 1] ?? '')))
      leader.leave()
      expect(await gateway.exchange(1)).toMatchObject({ outcome: 'cancelled', attempts: 1 })
      const late = await followers(gateway, 1)
      expect(isClosed).toBe(false)
      if (chunks === 0) beginStream(upstream)
      for (const text of EVENTS.slice(chunks)) upstream.chunk(text)
      upstream.endChunks()
      for (const client of [...early, ...late]) {
        const answer = await client.response()
        expect([answer.isComplete, answer.text(), answer.headers.get('x-nexcode-cache')]).toEqual([
          true,
          WHOLE,
          'COALESCED',
        ])
      }
      expect(gateway.upstreams.one.requests).toHaveLength(1)
      const again = await (await ask(gateway)).response()
      expect([again.headers.get('x-nexcode-cache'), again.text()]).toEqual(['HIT', WHOLE])
      gateway.upstreams.one.play(fail(500))
      expect((await gateway.chat({ model: 'other' })).status).toBe(500)
    })
  }

  test('when the last one leaves, the upstream is cancelled and its place is free', async () => {
    const { script, first } = held()
    const gateway = await start({ upstreams: { one: script }, ...LIMITED })
    const leader = await ask(gateway)
    const upstream = await first()
    const [follower] = await followers(gateway, 1)
    beginStream(upstream)
    upstream.chunk(event('a'))
    await Promise.all([leader, follower].map((client) => client && got(client, '"a"')))
    leader.leave()
    follower?.leave()
    await upstream.closed
    gateway.upstreams.one.play(fail(500))
    expect((await gateway.chat(FIXED)).status).toBe(500)
    expect(await gateway.exchange(1)).toMatchObject({ outcome: 'cancelled' })
    expect(await gateway.exchange(2)).toMatchObject({ outcome: 'cancelled' })
  })

  test('the last one leaves before there is a head: the upstream is cancelled, and the log says that it was asked', async () => {
    const { script, first } = held()
    const gateway = await start({ upstreams: { one: script }, ...LIMITED })
    const leader = await ask(gateway)
    const upstream = await first()
    leader.leave()
    await upstream.closed
    expect(await gateway.exchange(1)).toMatchObject({ outcome: 'cancelled', attempts: 1, error: 'client_closed' })
  })

  test('an error of the start reaches all, of one call; the next request makes a new one', async () => {
    const { script, first } = held()
    const gateway = await start({ upstreams: { one: script }, ...LIMITED })
    const clients = [await ask(gateway)]
    const upstream = await first()
    clients.push(...(await followers(gateway, 4)))
    upstream.reset()
    const answers = await Promise.all(clients.map((client) => client.response()))
    expect(answers.map(({ status }) => status)).toEqual([502, 502, 502, 502, 502])
    expect(gateway.upstreams.one.requests).toHaveLength(1)
    gateway.upstreams.one.play(fail(500))
    expect((await gateway.chat(BODY)).status).toBe(500)
  })

  test('an answer that is an error reaches all, too, and each is told not to try what has been tried', async () => {
    const { script, first } = held()
    const gateway = await start({
      upstreams: { one: script },
      file: { cache: {}, retry: { attempts: 2, base: '10ms' } },
    })
    const clients = [await ask(gateway)]
    const upstream = await first()
    clients.push(...(await followers(gateway, 2)))
    gateway.upstreams.one.play(fail(503))
    upstream.json({ error: { message: 'busy' } }, 503)
    const answers = await Promise.all(clients.map((client) => client.response()))
    expect(answers.map(({ status, headers }) => [status, headers.get('x-should-retry')])).toEqual(
      answers.map(() => [503, 'false']),
    )
    expect(gateway.upstreams.one.requests).toHaveLength(2)
  })

  test('a stream that falls silent breaks for all with the error of that, and counts once for the breaker', async () => {
    const { script, first } = held()
    const gateway = await start({
      upstreams: { one: script },
      settings: { one: { timeouts: { stream_idle: '300ms' } } },
      file: { cache: {}, breaker: { failures: 2 } },
    })
    const clients = [await ask(gateway)]
    const upstream = await first()
    clients.push(...(await followers(gateway, 3)))
    beginStream(upstream)
    upstream.chunk(event('a'))
    for (const client of clients) await got(client, '"code":"upstream_timeout"')
    await upstream.closed
    for (const n of [1, 2, 3, 4]) {
      expect(await gateway.exchange(n)).toMatchObject({ outcome: 'failed', error: 'upstream_timeout' })
    }
    const again = await ask(gateway)
    const other = gateway.chat({ model: 'other', temperature: 0 }).catch(() => undefined)
    // A second failure would have opened the breaker, and both would be refused at once.
    await gateway.upstreams.one.request(3)
    again.leave()
    await gateway.stop()
    await other
  })

  test('each has the limit on the whole that a call of its own would have', async () => {
    const { script, first } = held()
    const gateway = await start({
      upstreams: { one: script },
      settings: { one: { timeouts: { total: '600ms' } } },
      file: { cache: {} },
    })
    const leader = await ask(gateway)
    await first()
    await Bun.sleep(200)
    const [follower] = await followers(gateway, 1)
    expect((await leader.response()).status).toBe(504)
    const answer = await follower?.response()
    expect(answer?.status).toBe(504)
  })

  test('a follower that reads slowly holds nobody up', async () => {
    const chunk = `data: ${'x'.repeat(65_536)}\n\n`
    const { script, first } = held()
    const gateway = await start({ upstreams: { one: script }, file: { cache: {} } })
    const leader = await ask(gateway)
    const upstream = await first()
    const slow = await openRawClient(gateway.port)
    slow.write(postText('/v1/chat/completions', BODY))
    slow.socket.pause()
    await haveBegun(gateway.port)
    beginStream(upstream)
    for (let n = 0; n < 60; n += 1) upstream.chunk(chunk)
    upstream.chunk(DONE)
    upstream.endChunks()
    const fast = await leader.response()
    expect(fast.isComplete).toBe(true)
    slow.socket.resume()
    const late = await slow.response()
    expect([late.isComplete, late.body.equals(fast.body)]).toEqual([true, true])
    expect(gateway.upstreams.one.requests).toHaveLength(1)
  })
})

test.each<[string, Readonly<Record<string, string>>]>([
  ['the cache', {}],
  ['an Idempotency-Key', { 'idempotency-key': 'once' }],
])("the server's own key, should an upstream echo it, is masked also on the way through %s", async (_, headers) => {
  const secret = 'sk-of-the-server-0123456789'
  const { chat } = await start({
    upstreams: {
      one: async (request, connection) => {
        await request.body
        connection.respond(500, { 'content-type': 'application/json' }, `{"error":{"message":"wrong key: ${secret}"}}`)
      },
    },
    settings: { one: { api_key: secret } },
    file: { cache: {} },
  })
  const answer = await chat({ model: 'm', temperature: 0 }, headers)
  expect(answer.status).toBe(500)
  expect(await answer.text()).toBe(`{"error":{"message":"wrong key: ${'*'.repeat(secret.length)}"}}`)
})
