import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { haveEntries, numbered } from '../helpers/cache-calls.ts'
import { type Env, gatewayCommand } from '../helpers/gateway-under-test.ts'
import { openRawClient, postText } from '../helpers/raw-client.ts'
import { REDIS_MISSING, startRedis } from '../helpers/redis.ts'
import { runProgram } from '../helpers/run-program.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { AT_ONCE_MS } from '../helpers/within.ts'
import { connectToEach } from '../helpers/workers.ts'

setDefaultTimeout(60_000)

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-cache-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function startUpstream(): Promise<ScriptedUpstream> {
  const upstream = await startScriptedUpstream(numbered())
  cleanUps.push(() => upstream.close())
  return upstream
}

async function startWith({ url }: ScriptedUpstream, env: Env): Promise<TestGateway> {
  const gateway = await startGateway({ env: { OPENAI_API_BASE: `${url}/v1`, ...env }, command: gatewayCommand() })
  cleanUps.push(() => gateway.stop())
  return gateway
}

function requestFor(input: string | number): string {
  return postText('/v1/embeddings', JSON.stringify({ model: 'm', input }), { Authorization: 'Bearer sk-mine' })
}

async function ask({ port }: TestGateway, input: string | number) {
  const client = await openRawClient(port)
  client.write(requestFor(input))
  const answer = await client.response()
  client.leave()
  return answer
}

async function wordFor(gateway: TestGateway, input: string | number): Promise<string | undefined> {
  return (await ask(gateway, input)).headers.get('x-nexcode-cache')
}

/**
 * Whether the store took too long for one of so many requests, as it may on a busy machine, and says so: then they went on without it, and
 * show nothing of it.
 */
async function wasTooSlow(gateway: TestGateway, requests: number): Promise<boolean> {
  await gateway.exchange(requests)
  return gateway.lines.some(({ msg }) => String(msg).startsWith('the store is in trouble'))
}

/** How often an upstream was asked for something. */
async function callsFor({ requests }: ScriptedUpstream, input: string): Promise<number> {
  const bodies = await Promise.all(requests.map(async ({ body }) => new TextDecoder().decode(await body)))
  return bodies.filter((body) => body.includes(JSON.stringify(input))).length
}

describe('CACHE=sqlite:PATH', () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)('what it keeps outlives the server that %s ends', async (signal) => {
    const upstream = await startUpstream()
    const env = { CACHE: `sqlite:${join(makeFolder(), 'cache.db')}` }
    for (let n = 0; ; n += 1) {
      const input = `question ${n}`
      const gateway = await startWith(upstream, env)
      const words = [await wordFor(gateway, input), await wordFor(gateway, input)]
      if (await wasTooSlow(gateway, 2)) continue
      expect(words).toEqual(['MISS', 'HIT'])
      gateway.child?.kill(signal)
      await gateway.child?.exited
      const next = await startWith(upstream, env)
      const word = await wordFor(next, input)
      if (await wasTooSlow(next, 1)) continue
      expect([word, await callsFor(upstream, input)]).toEqual(['HIT', 1])
      return
    }
  })

  test('is one cache for several processes', async () => {
    const upstream = await startUpstream()
    const gateway = await startWith(upstream, {
      CACHE: `sqlite:${join(makeFolder(), 'cache.db')}`,
      WORKERS: '2',
      LOG_LEVEL: 'debug',
    })
    const clients = [...(await connectToEach(gateway)).values()]
    for (let n = 0; ; n += 1) {
      const input = `question ${n}`
      const words: (string | undefined)[] = []
      const before = gateway.lines.length
      for (const client of clients) {
        const from = client.received().length
        client.write(requestFor(input))
        const received = await client.until((bytes) => bytes.includes('"upstream-model"}', from))
        words.push(/x-nexcode-cache: (\w+)/.exec(received.subarray(from).toString())?.[1])
      }
      await gateway.exchange(clients.length * (n + 1))
      const told = gateway.lines.map(({ msg }) => String(msg))
      const countOf = (word: string): number => told.filter((msg) => msg.startsWith(`the store is ${word}`)).length
      // Too slow for one of them, or left alone since it was.
      if (countOf('in trouble') > countOf('back') || told.slice(before).some((msg) => msg.startsWith('the store is'))) {
        await Bun.sleep(100)
        continue
      }
      expect([words, await callsFor(upstream, input)]).toEqual([['MISS', 'HIT'], 1])
      break
    }
    for (const client of clients) client.leave()
  })
})

describe('a CACHE that can not be opened ends the start with 2, and says what to do', () => {
  const folder = tmpdir()
  for (const [cache, said] of Object.entries({
    'sqlite:/no/such/folder/cache.db': 'there is no folder /no/such/folder',
    [`sqlite:${folder}`]: 'is a folder',
    'redis://': 'redis://HOST:PORT',
    disk: 'memory, sqlite:PATH',
  })) {
    test(cache.replace(folder, 'sqlite:FOLDER'), async () => {
      const { code, stderr } = await runProgram(['serve'], { CACHE: cache, PORT: '0', HOST: '127.0.0.1' })
      expect(code).toBe(2)
      expect(stderr).toContain('CACHE')
      expect(stderr).toContain(said)
    })
  }
})

describe.skipIf(REDIS_MISSING !== undefined)(
  `CACHE=redis://…${REDIS_MISSING === undefined ? '' : ` (${REDIS_MISSING})`}`,
  () => {
    test('is one cache for several servers', async () => {
      const redis = await startRedis()
      cleanUps.push(() => redis.kill())
      const upstream = await startUpstream()
      const [one, other] = [
        await startWith(upstream, { CACHE: redis.url }),
        await startWith(upstream, { CACHE: redis.url }),
      ]
      const askOne = () => ask(one, 'hi')
      await askOne()
      await haveEntries({ CACHE: redis.url, OPENAI_API_BASE: `${upstream.url}/v1` }, 1, askOne)
      const calls = upstream.requests.length
      const first = await askOne()
      const second = await ask(other, 'hi')
      expect([second.headers.get('x-nexcode-cache'), second.text()]).toEqual(['HIT', first.text()])
      expect(upstream.requests).toHaveLength(calls)
    })

    test('killed under load: no request fails or waits, and one line of the log says it', async () => {
      const redis = await startRedis()
      cleanUps.push(() => redis.kill())
      const upstream = await startUpstream()
      const gateway = await startWith(upstream, { CACHE: redis.url })
      expect(await wordFor(gateway, 'first')).toBe('MISS')
      let isKilled = false
      const statuses = new Map<number, number>()
      let slowestMs = 0
      const load = async (deployment: number): Promise<void> => {
        for (let n = 0, after = 0; after < 40; n += 1) {
          const startedAt = performance.now()
          const { status } = await ask(gateway, `${deployment}-${n % 7}`)
          if (isKilled) slowestMs = Math.max(slowestMs, performance.now() - startedAt)
          statuses.set(status, (statuses.get(status) ?? 0) + 1)
          if (isKilled) after += 1
        }
      }
      const loads = Promise.all(Array.from({ length: 8 }, (_, deployment) => load(deployment)))
      // Under load: each of them has asked for some, and for some again.
      await upstream.request(20)
      await redis.kill()
      isKilled = true
      await loads
      expect([...statuses.keys()]).toEqual([200])
      const told = gateway.lines.map(({ msg }) => String(msg)).filter((msg) => msg.startsWith('the store is '))
      // On a busy machine it may have been in trouble before, and back: this time is told of once, as each is.
      expect(told.at(-1)).toStartWith('the store is in trouble')
      expect(told.filter((msg) => msg.includes('trouble'))).toHaveLength(
        1 + told.filter((msg) => msg.includes('back')).length,
      )
      // 50 ms at most are the store's; the rest is a machine that others use, too.
      expect(slowestMs).toBeLessThan(AT_ONCE_MS)
    })
  },
)
