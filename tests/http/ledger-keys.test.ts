import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ADMIN_KEY_PREFIX } from '../../src/ledger/key-format.ts'
import type { Ledger } from '../../src/ledger/ledger.ts'
import { openLedger } from '../../src/ledger/open-ledger.ts'
import type { KeyRecord, LedgerRecord } from '../../src/ledger/records.ts'
import { addKey, digestOfKey, keyRecord, newKey } from '../helpers/ledger-keys.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const ALICE = 'alices-token-0123456789'
const SERVER_KEY = 'sk-server-0123456789'
const ADMIN_KEY = 'the-key-that-manages-0123456789ab'

const folder = mkdtempSync(join(tmpdir(), 'nexcode-keys-'))
const store = `sqlite:${join(folder, 'ledger.sqlite')}`
let ledger: Ledger
let gateway: TestGateway<'openai'>
let open: TestGateway<'openai'>

beforeAll(async () => {
  const env = { LEDGER: store, OPENAI_API_KEY: SERVER_KEY, ADMIN_KEY }
  gateway = await startGateway({
    upstreams: { openai: answerOk },
    env: { ...env, REQUIRE_AUTH: 'true', API_TOKEN: `alice:${ALICE}` },
  })
  open = await startGateway({ upstreams: { openai: answerOk }, env })
  ledger = await openLedger(store)
})

afterAll(async () => {
  await Promise.all([gateway.stop(), open.stop(), ledger.close()])
  rmSync(folder, { recursive: true })
})

const nowSeconds = (): number => Math.floor(Date.now() / 1000)

async function call(to: TestGateway<'openai'>, headers: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(`${to.url}/v1/models`, { headers })
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

async function refusal(to: TestGateway<'openai'>, key: string): Promise<readonly [number, string | null, string]> {
  const answer = await call(to, bearer(key))
  const { error } = (await answer.json()) as { error: { code: string | null; message: string } }
  expect(error.message).not.toContain(key)
  return [answer.status, error.code, error.message]
}

/** Asks again until the answer has a status: what another process has changed is in force within a second. */
async function until(status: number, to: TestGateway<'openai'>, key: string): Promise<void> {
  const begun = performance.now()
  for (;;) {
    const answer = await call(to, bearer(key))
    await answer.body?.cancel()
    if (answer.status === status) return
    if (performance.now() - begun > 10_000) throw new Error(`still ${answer.status}`)
  }
}

async function put(...records: readonly LedgerRecord[]): Promise<void> {
  await ledger.edit({ put: records, remove: [], audit: [] })
}

test('a key spends the server’s key and goes to no upstream, whichever header or parameter holds it', async () => {
  const key = await addKey(ledger, 'key_headers')
  await until(200, gateway, key)
  const ways: readonly Readonly<Record<string, string>>[] = [
    bearer(key),
    { 'x-api-key': key },
    { 'api-key': key },
    { authorization: `Basic ${btoa(`:${key}`)}` },
    { ...bearer(key), 'x-copy': `copy of ${key}` },
  ]
  for (const to of [gateway, open]) {
    await until(200, to, key)
    for (const headers of ways) {
      const answer = await fetch(`${to.url}/v1/models?key=${key}&limit=2`, { headers })
      expect(answer.status).toBe(200)
      const sent = lastRequest(to.upstreams.openai)
      expect(sent.header('authorization')).toBe(`Bearer ${SERVER_KEY}`)
      expect(JSON.stringify(sent)).not.toContain(key.slice(10))
    }
  }
})

test('the log names the key and its project, and never the key itself', async () => {
  const key = await addKey(ledger, 'key_logged')
  await until(200, gateway, key)
  expect(await gateway.line((line) => line['key'] === 'key_logged')).toMatchObject({
    principal: 'key_logged',
    project: 'proj_default',
  })
  expect(JSON.stringify(gateway.lines)).not.toContain(key.slice(7))
})

test('a token is a key of the default project, by its name', async () => {
  expect((await call(gateway, bearer(ALICE))).status).toBe(200)
  expect(await gateway.line((line) => line['principal'] === 'alice')).toMatchObject({
    key: 'key_token.alice',
    project: 'proj_default',
  })
})

describe('a key that is not good is refused with 401, and the message says why', () => {
  test('mistyped: without a look-up, by its check digit', async () => {
    const key = newKey()
    const digit = key.at(-1) === 'a' ? 'b' : 'a'
    for (const to of [gateway, open]) {
      expect(await refusal(to, key.slice(0, -1) + digit)).toEqual([
        401,
        'invalid_api_key',
        expect.stringContaining('mistyped'),
      ])
      expect(await refusal(to, `${key}x`)).toEqual([401, 'invalid_api_key', expect.stringContaining('mistyped')])
    }
  })

  test('unknown', async () => {
    for (const to of [gateway, open])
      expect(await refusal(to, newKey())).toEqual([
        401,
        'invalid_api_key',
        expect.stringContaining('knows no such key'),
      ])
  })

  test('expired; one whose time has not come goes on', async () => {
    const late = await addKey(ledger, 'key_late', { expiresAt: nowSeconds() - 1 })
    const good = await addKey(ledger, 'key_good', { expiresAt: nowSeconds() + 3600 })
    await until(200, gateway, good)
    expect(await refusal(gateway, late)).toEqual([401, 'invalid_api_key', expect.stringContaining('expired')])
  })

  test('revoked; of an archived project', async () => {
    const key = await addKey(ledger, 'key_revoked')
    await until(200, gateway, key)
    await ledger.edit({ put: [], remove: ['key_revoked'], audit: [] })
    await until(401, gateway, key)
    expect((await refusal(gateway, key))[2]).toContain('knows no such key')
    const project = { kind: 'project', id: 'proj_gone', name: 'gone', createdAt: 1, timeZone: 'UTC' } as const
    await put({ ...project, limits: { spend: {}, rates: [] }, managedBy: 'api' })
    const inIt = await addKey(ledger, 'key_in_gone', { projectId: 'proj_gone' })
    await until(200, gateway, inIt)
    await put({ ...project, limits: { spend: {}, rates: [] }, managedBy: 'api', archivedAt: 2 })
    await until(401, gateway, inIt)
    expect((await refusal(gateway, inIt))[2]).toContain('archived')
  })

  test('an admin key can’t call', async () => {
    const key = newKey(ADMIN_KEY_PREFIX)
    const record = {
      kind: 'admin_key',
      id: 'key_admin',
      name: 'a',
      redacted: '',
      createdAt: 1,
      managedBy: 'api',
    } as const
    await put({ ...record, digest: digestOfKey(key) })
    const other = await addKey(ledger, 'key_behind_admin')
    await until(200, gateway, other)
    expect(await refusal(gateway, key)).toEqual([401, 'invalid_api_key', expect.stringContaining('only manage')])
    const before = open.upstreams.openai.requests.length
    expect(await refusal(open, ADMIN_KEY)).toEqual([401, 'invalid_api_key', expect.stringContaining('only manage')])
    expect((await call(gateway, bearer(ADMIN_KEY))).status).toBe(401)
    expect(open.upstreams.openai.requests).toHaveLength(before)
  })
})

test('a rotated key has two secrets for the grace time, and one behind it', async () => {
  const before = newKey()
  const after = newKey()
  const record = (more: Partial<KeyRecord>): KeyRecord => keyRecord('key_rotated', after, more)
  await put(record({ former: [{ digest: digestOfKey(before), until: nowSeconds() + 3600 }] }))
  await until(200, gateway, after)
  await until(200, gateway, before)
  expect(await gateway.line((line) => line['key'] === 'key_rotated')).toBeDefined()
  await put(record({ former: [{ digest: digestOfKey(before), until: nowSeconds() }] }))
  await until(401, gateway, before)
  expect((await refusal(gateway, before))[2]).toContain('expired')
  await until(200, gateway, after)
  await ledger.edit({ put: [], remove: ['key_rotated'], audit: [] })
  await until(401, gateway, after)
})

test('revoked in the ledger by one process is refused by all others soon', async () => {
  const key = await addKey(ledger, 'key_two_nodes')
  await until(200, gateway, key)
  await until(200, open, key)
  await ledger.edit({ put: [], remove: ['key_two_nodes'], audit: [] })
  await until(401, gateway, key)
  await until(401, open, key)
})

test('without REQUIRE_AUTH other keys are the callers’ own, as before, and a program of this machine needs none', async () => {
  expect((await call(open, bearer('sk-of-a-caller'))).status).toBe(200)
  expect(lastRequest(open.upstreams.openai).header('authorization')).toBe('Bearer sk-of-a-caller')
  expect((await call(open, {})).status).toBe(200)
  expect(lastRequest(open.upstreams.openai).header('authorization')).toBe(`Bearer ${SERVER_KEY}`)
  expect((await call(gateway, bearer('sk-of-a-caller'))).status).toBe(401)
})

test('a key of this server’s beside a caller’s own credential is refused, wherever it stands: it would go upstream', async () => {
  const key = await addKey(ledger, 'key_beside')
  const asked = open.upstreams.openai.requests.length
  const own = bearer('sk-the-callers-own')
  const strays: readonly Readonly<Record<string, string>>[] = [
    { 'x-api-key': key },
    { 'x-anything': `key=${key}` },
    { 'api-key': ADMIN_KEY },
  ]
  for (const stray of strays) {
    const answer = await call(open, { ...own, ...stray })
    expect([answer.status, await answer.text()]).toEqual([401, expect.stringContaining('beside another credential')])
  }
  const inQuery = await fetch(`${open.url}/v1/models?key=${key}`, { headers: own })
  expect([inQuery.status, await inQuery.text()]).toEqual([401, expect.not.stringContaining(key)])
  expect(open.upstreams.openai.requests).toHaveLength(asked)
  expect((await call(open, own)).status).toBe(200)
})
