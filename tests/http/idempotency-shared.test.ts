import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beginStream, DONE, event } from '../helpers/cache-calls.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import {
  CALLS_BEHIND,
  callBehind,
  callBehindAt,
  HELD_ANSWER,
  requestUnder,
  startHeldUpstream,
} from '../helpers/held-calls.ts'
import { REDIS_MISSING, startRedis } from '../helpers/redis.ts'
import type { ScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { type GatewayOptions, startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { connectToEach } from '../helpers/workers.ts'

setDefaultTimeout(60_000)

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** An upstream whose answers are the test's, until the test ends. */
async function startHeld() {
  const held = await startHeldUpstream()
  cleanUps.push(() => held.upstream.close())
  return held
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
          for (const { port } of [other, one]) await callBehindAt(port, { arrival })
          if (isStream) {
            connection.chunk(event('b') + DONE)
            connection.endChunks()
          } else connection.json(HELD_ANSWER)
          const text = isStream ? event('a') + event('b') + DONE : JSON.stringify(HELD_ANSWER)
          expect(await first).toMatchObject({ status: 200, text, replayed: null })
          for (const told of await Promise.all(waiting))
            expect(told).toMatchObject({ status: 200, text, replayed: 'true' })
          expect(await ask(other, 'once', isStream)).toMatchObject({ status: 200, text, replayed: 'true' })
          expect(arrived).toHaveLength(1 + 2 * CALLS_BEHIND)
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
        ;(await next).json(HELD_ANSWER)
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
        await callBehindAt(other.port, { arrival })
        connection.json({ error: { message: 'no', type: 'server_error', param: null, code: 'boom' } }, 500)
        expect(await first).toMatchObject({ status: 500, code: 'boom' })
        expect(await waiting).toMatchObject({ status: 503, code: 'idempotency_under_way', retryAfter: '1' })
        const next = arrival()
        const retry = ask(other)
        ;(await next).json(HELD_ANSWER)
        expect((await retry).status).toBe(200)
        expect(await ask(one)).toMatchObject({ status: 200, replayed: 'true' })
        expect(arrived).toHaveLength(2 + CALLS_BEHIND)
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
  const behind = (await connectToEach(gateway)).get(2)
  const arriving = arrival()
  const [one, other] = [clients.get(1), clients.get(2)]
  if (one === undefined || other === undefined || behind === undefined) throw new Error('There are not two workers.')
  one.write(requestUnder('once'))
  const connection = await arriving
  other.write(requestUnder('once'))
  await callBehind(behind, { arrival })
  connection.json(HELD_ANSWER)
  for (const client of [one, other]) {
    await client.until((received) => received.includes('chatcmpl-1'))
    client.leave()
  }
  behind.leave()
  expect(arrived).toHaveLength(1 + CALLS_BEHIND)
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
    ;(await arriving).json(HELD_ANSWER)
    await first
    redis.pause()
    const retry = ask(gateway)
    // Far longer than a look-up of the cache may take, far shorter than one of a claim.
    await Bun.sleep(400)
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
    ;(await withoutKey).json(HELD_ANSWER)
    expect((await plain).status).toBe(200)
    redis.resume()
    // What it was asked for while it stood still, it may do now: that is given back, and until then the key is busy.
    void arrival().then((connection) => connection.json(HELD_ANSWER))
    let retry = await ask(gateway)
    for (; retry.status === 503; retry = await ask(gateway)) {
      expect(['idempotency_unavailable', 'idempotency_under_way']).toContain(String(retry.code))
      expect(retry.retryAfter).toBe('1')
      await Bun.sleep(50)
    }
    expect(retry.status).toBe(200)
    expect(arrived).toHaveLength(2)
  })

  test('dies in mid-call costs no answer, and no second call', async () => {
    const { redis, gateway, upstream, arrival, arrived } = await start()
    const other = await startOn(upstream, redis.url)
    const arriving = arrival()
    const first = ask(gateway)
    const connection = await arriving
    await redis.kill()
    connection.json(HELD_ANSWER)
    expect((await first).status).toBe(200)
    // While the end of the call is written down, which fails, and behind that.
    for (let retry = 0; retry < 15; retry += 1) {
      expect(await ask(gateway)).toMatchObject({ status: 200, replayed: 'true' })
      await Bun.sleep(100)
    }
    expect(await ask(other)).toMatchObject({ status: 503, code: 'idempotency_unavailable' })
    expect(arrived).toHaveLength(1)
  })
})
