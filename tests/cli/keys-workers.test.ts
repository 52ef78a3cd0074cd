import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { makeFirstRecords } from '../../src/ledger/first-records.ts'
import { openLedger } from '../../src/ledger/open-ledger.ts'
import type { SpendAlertRecord } from '../../src/ledger/records.ts'
import { NO_USAGE } from '../../src/openai/usage/usage.ts'
import { type Env, gatewayCommand } from '../helpers/gateway-under-test.ts'
import { ADMIN, answerUsed } from '../helpers/metered-gateway.ts'
import { postText, type RawClient } from '../helpers/raw-client.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { until } from '../helpers/until.ts'
import { connectToEach } from '../helpers/workers.ts'

setDefaultTimeout(60_000)

const CENT = 10_000_000
const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

function newStore(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-keys-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  return `sqlite:${join(folder, 'ledger.db')}`
}

/** A gateway of two processes that share a ledger. */
async function startTwo(env: Env) {
  const gateway = await startGateway({
    upstreams: { openai: answerUsed(10, 10) },
    env: { WORKERS: '2', LOG_LEVEL: 'debug', ADMIN_KEY: ADMIN, REQUIRE_AUTH: 'true', OPENAI_API_KEY: 'sk-1', ...env },
    command: gatewayCommand(),
  })
  cleanUps.push(gateway.stop)
  return gateway
}

/** The status of a chat with a key at the worker behind a connection. */
async function statusAt(client: RawClient, key: string): Promise<string> {
  const before = client.received().length
  client.write(postText('/v1/chat/completions', '{"model":"m","messages":[]}', { Authorization: `Bearer ${key}` }))
  const received = await client.until((all) => /\r\n\r\n[\s\S]*\}$/.test(all.subarray(before).toString()))
  return received.subarray(before).toString().slice(9, 12)
}

test('with WORKERS=2 a key is good at both workers when the answer that made it is there, and refused when it is revoked', async () => {
  const gateway = await startTwo({ LEDGER: newStore() })
  const clients = [...(await connectToEach(gateway)).values()]
  expect(clients).toHaveLength(2)
  const statuses = async (key: string): Promise<readonly string[]> =>
    Promise.all(clients.map((client) => statusAt(client, key)))
  const { projects } = new OpenAI({ adminAPIKey: ADMIN, apiKey: 'none', baseURL: `${gateway.url}/v1` }).admin
    .organization
  const { id: project_id } = await projects.create({ name: 'team' })
  const account = await projects.serviceAccounts.create(project_id, { name: 'bot' })
  const key = account.api_key?.value ?? ''
  expect(await statuses(key)).toEqual(['200', '200'])
  await projects.modelPermissions.update(project_id, { mode: 'allow_list', model_ids: ['other'] })
  expect(await statuses(key)).toEqual(['404', '404'])
  await projects.apiKeys.delete(account.api_key?.id ?? '', { project_id })
  expect(await statuses(key)).toEqual(['401', '401'])
})

test('with WORKERS=2 the messages at 50, 80 and 100 % come once each, signed for the SDK, and again after a 500 alone', async () => {
  let failures = 1
  const hooks = await startScriptedUpstream(async (request, connection) => {
    await request.body
    const isFailure = request.target === '/80' && failures-- > 0
    connection.respond(isFailure ? 500 : 204, {})
  })
  cleanUps.push(() => hooks.close())
  const store = newStore()
  const signingSecret = `whsec_${crypto.getRandomValues(new Uint8Array(32)).toBase64()}`
  const alerts = [50, 80, 100, 101].map(
    (percent): SpendAlertRecord => ({
      kind: 'spend_alert',
      id: `alert_${percent}`,
      threshold: BigInt(percent * CENT),
      webhook: `${hooks.url}/${percent}`,
      signingSecret,
      createdAt: 1,
    }),
  )
  const ledger = await openLedger(store)
  cleanUps.push(() => ledger.close())
  await makeFirstRecords(ledger, 1)
  await ledger.edit({ put: alerts, remove: [], audit: [] })
  const row = { requestId: 'r', keyId: 'key_1', projectId: 'proj_default', model: 'm', servedModel: 'm', upstream: 'u' }
  const more = { endpoint: 'responses', tier: '', isBatch: false, saved: 0, isEstimated: false, status: 200 } as const
  const end = { pricedBy: 'table', outcome: 'complete', usage: NO_USAGE, cost: 100 * CENT } as const
  await ledger.book([{ ...row, ...more, ...end, id: '1'.padStart(32, '0'), at: Date.now() }])
  const gateway = await startTwo({ LEDGER: store })
  const isSent = async (id: string) => (await ledger.find('spend_alert', id))?.notice?.isSent === true
  await until(async () => (await Promise.all(['alert_50', 'alert_80', 'alert_100'].map(isSent))).every(Boolean))
  await gateway.stop()
  const targets = hooks.requests.map(({ target }) => target).toSorted()
  expect(targets).toEqual(['/100', '/50', '/80', '/80'])
  const client = new OpenAI({ apiKey: 'none', webhookSecret: signingSecret })
  const ids = new Set<string | undefined>()
  for (const { headerLines, body, header } of hooks.requests) {
    const text = new TextDecoder().decode(await body)
    expect(await client.webhooks.unwrap(text, Object.fromEntries(headerLines))).toMatchObject({
      data: { spent_amount: 100, object: 'organization.spend_alert' },
    } as never)
    ids.add(header('webhook-id'))
  }
  expect(ids.size).toBe(3)
})
