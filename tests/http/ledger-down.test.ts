import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLedger } from '../../src/ledger/open-ledger.ts'
import { addKey, newKey } from '../helpers/ledger-keys.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const ALICE = 'alices-token-0123456789'
const folder = mkdtempSync(join(tmpdir(), 'nexcode-down-'))
const file = join(folder, 'ledger.sqlite')
let gateway: TestGateway<'openai'>
let open: TestGateway<'openai'>
let known = ''

beforeAll(async () => {
  const ledger = await openLedger(`sqlite:${file}`)
  known = await addKey(ledger, 'key_known')
  await ledger.close()
  const env = { LEDGER: `sqlite:${file}`, OPENAI_API_KEY: 'sk-server' }
  gateway = await startGateway({
    upstreams: { openai: answerOk },
    env: { ...env, REQUIRE_AUTH: 'true', API_TOKEN: `alice:${ALICE}` },
  })
  open = await startGateway({ upstreams: { openai: answerOk }, env })
})

afterAll(async () => {
  await Promise.all([gateway.stop(), open.stop()])
  rmSync(folder, { recursive: true, force: true })
})

const call = (to: TestGateway<'openai'>, key: string, path = '/v1/models'): Promise<Response> =>
  fetch(`${to.url}${path}`, { headers: { authorization: `Bearer ${key}` } })

async function until(status: number, to: TestGateway<'openai'>, key: string): Promise<Response> {
  for (let tried = 0; tried < 20_000; tried += 1) {
    const answer = await call(to, key)
    if (answer.status === status) return answer
    await answer.body?.cancel()
  }
  throw new Error(`never ${status}`)
}

/** Takes away what each look reads, as a broken disk would, or puts it back. */
function breakLedger(isBroken: boolean): void {
  using database = new Database(file)
  database.run(`ALTER TABLE ${isBroken ? 'edition' : 'away'} RENAME TO ${isBroken ? 'away' : 'edition'}`)
}

test('while the ledger can’t be read, known keys and tokens go on, and an unknown key is a 503 that may be retried, never a 401', async () => {
  await until(200, gateway, known)
  await until(401, gateway, newKey())
  breakLedger(true)
  for (const to of [gateway, open]) {
    const refused = await until(503, to, newKey())
    expect(await refused.json()).toMatchObject({ error: { type: 'server_error', code: 'ledger_unavailable' } })
    expect(refused.headers.get('retry-after')).toBe('1')
    expect((await call(to, known)).status).toBe(200)
  }
  expect((await call(gateway, ALICE)).status).toBe(200)
  // It may be one that the ledger knows.
  expect((await call(gateway, 'sk-of-somebody-0123456789')).status).toBe(503)
  expect((await call(open, 'sk-of-a-caller-0123456789')).status).toBe(200)
  expect(lastRequest(open.upstreams.openai).header('authorization')).toBe('Bearer sk-of-a-caller-0123456789')
  const mistyped = newKey()
  expect((await call(gateway, `${mistyped}x`)).status).toBe(401)
  const ready = await call(gateway, ALICE, '/ready')
  expect([ready.status, await ready.json()]).toMatchObject([200, { status: 'ready', ledger: { keys: 'stale' } }])
  const down = gateway.lines.filter(({ msg }) => String(msg).startsWith('the ledger can not be read'))
  expect(down).toHaveLength(1)
  breakLedger(false)
  await until(401, gateway, newKey())
  await gateway.line(({ msg }) => msg === 'the ledger can be read again')
  expect(await (await call(gateway, ALICE, '/ready')).json()).toMatchObject({
    ledger: { keys: 'fresh', bookings: 'ok' },
  })
})

test('strangers learn nothing of the ledger from /ready', async () => {
  for (const key of [known, 'sk-stranger'])
    expect(await (await call(gateway, key, '/ready')).json()).not.toHaveProperty('ledger')
})
