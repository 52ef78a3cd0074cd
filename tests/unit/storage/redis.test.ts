import { afterAll, describe, expect, test } from 'bun:test'
import { guardStore } from '../../../src/storage/guarded-store.ts'
import { openStore } from '../../../src/storage/open-store.ts'
import type { Store } from '../../../src/storage/store.ts'
import { createDeadlines } from '../../../src/timing/deadlines.ts'
import { freePort } from '../../helpers/free-port.ts'
import { REDIS_MISSING, type RedisServer, startRedis } from '../../helpers/redis.ts'
import { makeSelfSigned } from '../../helpers/self-signed.ts'
import { AT_ONCE_MS } from '../../helpers/within.ts'
import { SILENT, WIDE } from './stores-under-test.ts'

const LONG = { ttlMs: 3_600_000, scope: 's' }
const VALUE = new Uint8Array(2_000).fill(7)
const PROGRAM = new URL('programs/keep-and-get.ts', import.meta.url).pathname
const because = REDIS_MISSING === undefined ? '' : ` (${REDIS_MISSING})`
const started: RedisServer[] = []

afterAll(async () => {
  for (const server of started) {
    server.resume()
    await server.kill()
  }
})

async function start(args: readonly string[] = [], password?: string): Promise<RedisServer> {
  const server = await startRedis(args, password)
  started.push(server)
  return server
}

function open(url: string, log: Pick<typeof SILENT, 'info' | 'warn'> = SILENT): Store {
  return openStore(url, { ...WIDE, now: Date.now, log })
}

async function causeOf(run: () => unknown): Promise<string> {
  try {
    await run()
  } catch (cause) {
    return String(cause)
  }
  return 'none'
}

describe.skipIf(REDIS_MISSING !== undefined)(`Redis itself${because}`, () => {
  test('a store that was away is connected to again by the next call, and a call meanwhile fails at once', async () => {
    const server = await start()
    const store = open(server.url)
    await store.set('a', VALUE, LONG)
    const others = open(server.url)
    await server.kill()
    const begin = performance.now()
    expect(await causeOf(() => store.get('a'))).not.toBe('none')
    expect(await causeOf(() => store.set('a', VALUE, LONG))).not.toBe('none')
    expect(await causeOf(() => others.get('a'))).not.toBe('none')
    expect(performance.now() - begin).toBeLessThan(AT_ONCE_MS)
    await server.restart()
    expect(await store.get('a')).toBeUndefined()
    await store.set('a', VALUE, LONG)
    expect(await store.get('a')).toEqual(VALUE)
    await store.close()
    await others.close()
  })

  test('a server that stands still is given up after two seconds, and its connection with it', async () => {
    const server = await start()
    const store = open(server.url)
    await store.get('a')
    server.pause()
    const begin = performance.now()
    const causes = await Promise.all([causeOf(() => store.get('a')), causeOf(() => store.get('b'))])
    expect(causes).not.toContain('none')
    expect(performance.now() - begin).toBeWithin(1_900, 2_000 + AT_ONCE_MS)
    server.resume()
    expect(await store.get('a')).toBeUndefined()
    await store.close()
  }, 60_000)

  test('keys are below nexcode: and live no longer than they are to; those of others are left alone', async () => {
    const server = await start()
    const store = open(server.url)
    const raw = new Bun.RedisClient(server.url)
    // The mark by which a server is known again is a claim's, and has no end.
    await raw.send('FLUSHALL', [])
    await raw.set('theirs', 'x')
    await store.set('a', VALUE, { ttlMs: 50_000, scope: 's' })
    const keys = await raw.keys('*')
    expect(keys.toSorted()).toEqual(['nexcode:store:a', 'theirs'])
    expect(await raw.pttl('nexcode:store:a')).toBeWithin(40_000, 50_001)
    await raw.set('nexcode:store:short', 'no value of ours')
    expect(await store.get('short')).toBeUndefined()
    expect(await store.purge()).toBe(2)
    expect(await raw.keys('*')).toEqual(['theirs'])
    raw.close()
    await store.close()
  })

  test('a database is chosen by its number, and a password may have any character', async () => {
    const password = 'p@ss/w:rd %#?'
    const server = await start([], password)
    const store = open(`${server.url}/3`)
    await store.set('a', VALUE, LONG)
    expect(await store.get('a')).toEqual(VALUE)
    const other = open(`${server.url}/4`)
    expect(await other.get('a')).toBeUndefined()
    await other.close()
    await store.close()
    const wrong = open(server.url.replace('p%40ss', 'wrong-pass'))
    const cause = await causeOf(() => wrong.get('a'))
    expect(cause).not.toBe('none')
    expect(cause).not.toContain('wrong-pass')
    await wrong.close()
  })

  test('a store that is closed says so', async () => {
    const server = await start()
    const store = open(server.url)
    await store.get('a')
    await store.close()
    expect(await causeOf(() => store.get('a'))).not.toBe('none')
    const never = open(server.url)
    const connecting = causeOf(() => never.get('a'))
    await never.close()
    await connecting
    expect(await causeOf(() => never.get('a'))).toContain('closed')
  })

  test.skipIf(Bun.which('openssl') === null)(
    'rediss:// is TLS, to whom the machine trusts (needs openssl)',
    async () => {
      const tls = makeSelfSigned()
      const port = await freePort()
      const files = ['--tls-cert-file', tls.certFile, '--tls-key-file', tls.keyFile]
      await start(['--tls-port', String(port), ...files, '--tls-auth-clients', 'no'])
      const run = (env: Record<string, string>): string => {
        const child = Bun.spawnSync([process.execPath, PROGRAM, `rediss://localhost:${port}`], {
          env: { PATH: process.env['PATH'] ?? '', ...env },
        })
        return child.stdout.toString()
      }
      expect(run({ NODE_EXTRA_CA_CERTS: tls.certFile })).toBe('kept\n')
      expect(run({})).toBe('failed\n')
      tls.remove()
    },
  )
})

describe.skipIf(REDIS_MISSING !== undefined)(`Redis behind a guard${because}`, () => {
  test('is killed and started again in mid-traffic: no call fails, none waits, and it comes back', async () => {
    const server = await start()
    const lines: string[] = []
    const log = {
      ...SILENT,
      warn: (_: unknown, text?: string) => lines.push(text ?? ''),
      info: (_: unknown, text?: string) => lines.push(text ?? ''),
    }
    const store = guardStore(open(server.url), {
      waitMs: 50,
      deadlines: createDeadlines(),
      log,
      now: () => performance.now(),
    })
    const [trouble, back] = ['the store is in trouble: requests go on without it', 'the store is back']
    const traffic = startTraffic(store)
    await traffic.until((isHit) => isHit)
    await server.kill()
    await traffic.until((isHit) => !isHit && lines.at(-1) === trouble)
    await server.restart()
    await traffic.until((isHit) => isHit && lines.at(-1) === back)
    server.pause()
    await traffic.until((isHit) => !isHit && lines.at(-1) === trouble)
    server.resume()
    await traffic.until((isHit) => isHit && lines.at(-1) === back)
    const { calls, worstMs } = await traffic.stop()
    expect(calls).toBeGreaterThan(50)
    // The limit, and what a loaded machine adds to any timer.
    expect(worstMs).toBeLessThan(2_000)
    // Each time of trouble has a line and its end one; a busy machine may have more times of it than those two.
    expect(lines.length).toBeGreaterThanOrEqual(4)
    expect(lines).toEqual(lines.map((_line, index) => (index % 2 === 0 ? trouble : back)))
    await store.close()
  }, 60_000)
})

/** Calls a store all the time, as requests would, and looks at how long each call takes. */
function startTraffic(store: Store): {
  /** Resolves with the next call after which a condition holds. */
  readonly until: (holds: (isHit: boolean) => boolean) => Promise<void>
  readonly stop: () => Promise<{ readonly calls: number; readonly worstMs: number }>
} {
  let isStopped = false
  let calls = 0
  let worstMs = 0
  let watchers: ((isHit: boolean) => boolean)[] = []
  const work = async (): Promise<void> => {
    while (!isStopped) {
      const begin = performance.now()
      const got = await store.get('a')
      worstMs = Math.max(worstMs, performance.now() - begin)
      watchers = watchers.filter((isWaiting) => isWaiting(got !== undefined))
      if (got === undefined) {
        const setAt = performance.now()
        void store.set('a', VALUE, LONG)
        worstMs = Math.max(worstMs, performance.now() - setAt)
      }
      calls += 1
      await Bun.sleep(1)
    }
  }
  const workers = Promise.all([work(), work(), work()])
  return {
    until: (holds) =>
      new Promise((resolve) => {
        watchers.push((isHit) => {
          const hasCome = holds(isHit)
          if (hasCome) resolve()
          return !hasCome
        })
      }),
    async stop() {
      isStopped = true
      await workers
      return { calls, worstMs }
    },
  }
}
