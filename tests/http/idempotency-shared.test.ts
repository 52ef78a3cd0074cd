import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beginStream, DONE, event } from '../helpers/cache-calls.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { REDIS_MISSING, startRedis } from '../helpers/redis.ts'
import { type ScriptedUpstream, startScriptedUpstream, type UpstreamConnection } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { type GatewayOptions, startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { connectToEach } from '../helpers/workers.ts'

setDefaultTimeout(60_000)

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** An upstream whose answers are the test's. */
async function startHeld() {
  const arrived: UpstreamConnection[] = []
  const waiting: ((connection: UpstreamConnection) => void)[] = []
  const upstream = await startScriptedUpstream(async (request, connection) => {
    await request.body
    arrived.push(connection)
    waiting.shift()?.(connection)
  })
  cleanUps.push(() => upstream.close())
  const arrival = (): Promise<UpstreamConnection> => new Promise((resolve) => void waiting.push(resolve))
  return { upstream, arrived, arrival }
}

async function startOn(
  upstream: ScriptedUpstream,
  store: string,
  { env, ...options }: GatewayOptions = {},
): Promise<TestGateway> {
  const own = { OPENAI_API_BASE: `${upstream.url}/v1`, OPENAI_API_KEY: 'sk-1', CACHE: store, ...env }
  const gateway = await startGateway({ ...options, env: own })
  cleanUps.push(() => gateway.stop())
  return gateway
}

interface Told {
  readonly status: number
  readonly text: string
  readonly code: unknown
  readonly retryAfter: string | null
  readonly replayed: string | null
}

async function ask({ url }: TestGateway, key: string | undefined = 'once', isStream = false): Promise<Told> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) },
    body: JSON.stringify({ model: 'm', messages: MESSAGES, stream: isStream }),
  })
  const text = await answer.text()
  const code = answer.ok ? undefined : (JSON.parse(text) as { error: { code: unknown } }).error.code
  const [retryAfter, replayed] = ['retry-after', 'idempotent-replayed'].map((name) => answer.headers.get(name))
  return { status: answer.status, text, code, retryAfter: retryAfter ?? null, replayed: replayed ?? null }
}

const ANSWER = { id: 'chatcmpl-1', object: 'chat.completion', choices: [] }

const STORES: readonly (readonly [string, string | undefined, () => Promise<string>])[] = [
  [
    'sqlite',
    undefined,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'nexcode-once-'))
      cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
      return `sqlite:${join(folder, 'cache.db')}`
    },
  ],
  [
    'redis',
    REDIS_MISSING,
    async () => {
      const redis = await startRedis()
      cleanUps.push(() => redis.kill())
      return redis.url
    },
  ],
]

for (const [name, missing, storeOf] of STORES) {
  describe.skipIf(missing !== undefined)(
    `servers that share a store in ${name}${missing === undefined ? '' : ` (${missing})`}`,
    () => {
      test.each([false, true])(
        'wait for each other’s calls under a key, and give the same answer (stream: %p)',
        async (isStream) => {
          const { upstream, arrived, arrival } = await startHeld()
          const store = await storeOf()
          const [one, other] = [await startOn(upstream, store), await startOn(upstream, store)]
          const arriving = arrival()
          const first = ask(one, 'once', isStream)
          const connection = await arriving
          const waiting = [ask(other, 'once', isStream), ask(other, 'once', isStream), ask(one, 'once', isStream)]
          if (isStream) {
            beginStream(connection)
            connection.chunk(event('a'))
          }
          await Bun.sleep(200)
          if (isStream) {
            connection.chunk(event('b') + DONE)
            connection.endChunks()
          } else connection.json(ANSWER)
          const text = isStream ? event('a') + event('b') + DONE : JSON.stringify(ANSWER)
          expect(await first).toMatchObject({ status: 200, text, replayed: null })
          for (const told of await Promise.all(waiting))
            expect(told).toMatchObject({ status: 200, text, replayed: 'true' })
          expect(await ask(other, 'once', isStream)).toMatchObject({ status: 200, text, replayed: 'true' })
          expect(arrived).toHaveLength(1)
        },
      )

      test('that was killed in mid-call leave no second one: what became of it is not known', async () => {
        const { upstream, arrived, arrival } = await startHeld()
        const store = await storeOf()
        const other = await startOn(upstream, store)
        const one = await startOn(upstream, store, { command: gatewayCommand() })
        const arriving = arrival()
        const first = ask(one).catch(() => 'broken')
        await arriving
        const waiting = ask(other)
        one.child?.kill('SIGKILL')
        expect(await first).toBe('broken')
        // Until its lease is over it might be busy.
        expect(await waiting).toMatchObject({ status: 409, code: 'idempotency_outcome_unknown' })
        expect(await ask(other)).toMatchObject({ status: 409, code: 'idempotency_outcome_unknown' })
        const next = arrival()
        const anew = ask(other, 'a new key')
        ;(await next).json(ANSWER)
        expect((await anew).status).toBe(200)
        expect(arrived).toHaveLength(2)
      })

      test('have another one that waits try again where the call fails', async () => {
        const { upstream, arrived, arrival } = await startHeld()
        const store = await storeOf()
        const [one, other] = [await startOn(upstream, store), await startOn(upstream, store)]
        const arriving = arrival()
        const first = ask(one)
        const connection = await arriving
        const waiting = ask(other)
        // A store takes claims in turn: once one has been made behind it, the call is waited for.
        const behind = arrival()
        const beside = ask(other, 'another key')
        ;(await behind).json(ANSWER)
        expect((await beside).status).toBe(200)
        connection.json({ error: { message: 'no', type: 'server_error', param: null, code: 'boom' } }, 500)
        expect(await first).toMatchObject({ status: 500, code: 'boom' })
        expect(await waiting).toMatchObject({ status: 503, code: 'idempotency_under_way', retryAfter: '1' })
        const next = arrival()
        const retry = ask(other)
        ;(await next).json(ANSWER)
        expect((await retry).status).toBe(200)
        expect(await ask(one)).toMatchObject({ status: 200, replayed: 'true' })
        expect(arrived).toHaveLength(3)
      })
    },
  )
}

test('the workers of one server share what is made once', async () => {
  const { upstream, arrived, arrival } = await startHeld()
  const [, , storeOf] = STORES[0] ?? []
  const store = (await storeOf?.()) ?? ''
  const env = { WORKERS: '2', LOG_LEVEL: 'debug' }
  const gateway = await startOn(upstream, store, { env, command: gatewayCommand() })
  const clients = await connectToEach(gateway)
  const body = JSON.stringify({ model: 'm', messages: MESSAGES })
  const request = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: once\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  const arriving = arrival()
  const [one, other] = [...clients.values()]
  if (one === undefined || other === undefined) throw new Error('There are not two workers.')
  one.write(request)
  const connection = await arriving
  other.write(request)
  await Bun.sleep(200)
  connection.json(ANSWER)
  for (const client of [one, other]) {
    await client.until((received) => received.includes('chatcmpl-1'))
    client.leave()
  }
  expect(arrived).toHaveLength(1)
})

describe.skipIf(REDIS_MISSING !== undefined)('a Redis that', () => {
  const start = async () => {
    const redis = await startRedis()
    cleanUps.push(async () => {
      redis.resume()
      await redis.kill()
    })
    const held = await startHeld()
    return { redis, ...held, gateway: await startOn(held.upstream, redis.url) }
  }

  test('takes long for one look-up is waited for: longer than for the cache', async () => {
    const { redis, gateway, arrival, arrived } = await start()
    const arriving = arrival()
    const first = ask(gateway)
    ;(await arriving).json(ANSWER)
    await first
    redis.pause()
    const retry = ask(gateway)
    await Bun.sleep(700)
    redis.resume()
    expect(await retry).toMatchObject({ status: 200, replayed: 'true' })
    expect(arrived).toHaveLength(1)
  })

  test('stands still has requests with a key refused, and none of them sent; when it is back, they go on', async () => {
    const { redis, gateway, arrival, arrived } = await start()
    redis.pause()
    expect(await ask(gateway)).toMatchObject({ status: 503, code: 'idempotency_unavailable', retryAfter: '1' })
    const withoutKey = arrival()
    const plain = fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: MESSAGES }),
    })
    ;(await withoutKey).json(ANSWER)
    expect((await plain).status).toBe(200)
    redis.resume()
    // What it was asked for while it stood still, it may do now: that is given back.
    await Bun.sleep(2_000)
    const arriving = arrival()
    const retry = ask(gateway)
    ;(await arriving).json(ANSWER)
    expect((await retry).status).toBe(200)
    expect(arrived).toHaveLength(2)
  })

  test('dies in mid-call costs no answer, and no second call', async () => {
    const { redis, gateway, upstream, arrival, arrived } = await start()
    const other = await startOn(upstream, redis.url)
    const arriving = arrival()
    const first = ask(gateway)
    const connection = await arriving
    await redis.kill()
    connection.json(ANSWER)
    expect((await first).status).toBe(200)
    await Bun.sleep(1_500)
    expect(await ask(gateway)).toMatchObject({ status: 200, replayed: 'true' })
    expect(await ask(other)).toMatchObject({ status: 503, code: 'idempotency_unavailable' })
    expect(arrived).toHaveLength(1)
  })
})
