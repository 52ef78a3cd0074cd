import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLedger } from '../../src/ledger/open-ledger.ts'
import { addKey, newKey } from '../helpers/ledger-keys.ts'
import { POSTGRES_MISSING, type PostgresServer, startPostgres } from '../helpers/postgres.ts'
import { REDIS_MISSING, startRedis } from '../helpers/redis.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { until } from '../helpers/until.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

setDefaultTimeout(60_000)

const ALICE = 'alices-token-0123456789'

type Gateway = TestGateway<'openai'>

const start = (env: Readonly<Record<string, string>>): Promise<Gateway> =>
  startGateway({
    upstreams: { openai: answerOk },
    env: { OPENAI_API_KEY: 'sk-server', REQUIRE_AUTH: 'true', API_TOKEN: `alice:${ALICE}`, ...env },
  })

const call = (to: Gateway, key: string, path = '/v1/models'): Promise<Response> =>
  fetch(`${to.url}${path}`, { headers: { authorization: `Bearer ${key}` } })

describe.skipIf(POSTGRES_MISSING !== undefined)('a Postgres that is away at the start', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  test('is waited for: the server starts, answers 503 and never 401, says so, and works by itself once it is there', async () => {
    const url = await server.database()
    const ledger = await openLedger(url)
    const known = await addKey(ledger, 'key_known')
    await ledger.close()
    await server.kill()
    const gateway = await start({ LEDGER: url })
    await gateway.line(({ msg }) => String(msg).startsWith('the ledger can not be reached'))
    for (const key of [known, newKey(), ALICE, 'sk-of-somebody-0123456789']) {
      const refused = await call(gateway, key)
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
      expect(await refused.json()).toMatchObject({ error: { code: 'ledger_unavailable' } })
    }
    const ready = await call(gateway, ALICE, '/ready')
    expect([ready.status, await ready.json()]).toMatchObject([503, { status: 'ledger_unavailable' }])
    expect((await call(gateway, known, '/health')).status).toBe(200)
    await server.restart()
    await gateway.line(({ msg }) => String(msg).startsWith('the ledger can be read: its keys are known'))
    expect((await call(gateway, known)).status).toBe(200)
    expect((await call(gateway, ALICE)).status).toBe(200)
    expect((await call(gateway, newKey())).status).toBe(401)
    const again = await call(gateway, ALICE, '/ready')
    expect([again.status, await again.json()]).toMatchObject([200, { status: 'ready', ledger: { keys: 'fresh' } }])
    await gateway.stop()
  })

  test('is not waited for where it refuses: that is said at the start', async () => {
    const url = (await server.database()).replace(/ledger_\d+$/, 'no_such_database')
    const refused = await start({ LEDGER: url }).catch((cause: unknown) => cause)
    expect(String(refused)).toContain('database "no_such_database" does not exist')
  })
})

describe.skipIf(REDIS_MISSING !== undefined)('a Redis that is away at the start', () => {
  test('is connected to once it is there; until then calls with limits are a 503', async () => {
    const server = await startRedis()
    await server.kill()
    const folder = mkdtempSync(join(tmpdir(), 'nexcode-away-'))
    const LEDGER = `sqlite:${join(folder, 'ledger.db')}`
    const ledger = await openLedger(LEDGER)
    const rates = [{ id: 'rl_1', model: '*', requestsPerMinute: 1_000 }]
    const key = await addKey(ledger, 'key_limited', { limits: { spend: {}, rates } })
    await ledger.close()
    const gateway = await start({ LEDGER, LIMITS: server.url })
    const chat = (): Promise<Response> =>
      fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] }),
      })
    const refused = await chat()
    expect([refused.status, await refused.json()]).toMatchObject([503, { error: { code: 'limits_unavailable' } }])
    await server.restart()
    await until(async () => (await chat()).status === 200)
    await gateway.stop()
    await server.kill()
    rmSync(folder, { recursive: true, force: true })
  })
})
