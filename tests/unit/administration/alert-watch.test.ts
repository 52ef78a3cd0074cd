import { afterEach, beforeEach, expect, test } from 'bun:test'
import OpenAI from 'openai'
import { createAlertWatch } from '../../../src/administration/alert-watch.ts'
import { makeFirstRecords } from '../../../src/ledger/first-records.ts'
import type { Ledger } from '../../../src/ledger/ledger.ts'
import type { SpendAlertRecord } from '../../../src/ledger/records.ts'
import { openSqliteLedger } from '../../../src/ledger/sqlite/sqlite-ledger.ts'
import { NO_USAGE } from '../../../src/openai/usage/usage.ts'
import { createDeadlines } from '../../../src/timing/deadlines.ts'
import type { Send, UpstreamCall } from '../../../src/upstream/send.ts'

const NOON = Date.UTC(2026, 10, 2, 12)
const DOLLAR = 1_000_000_000n
const ALERT: SpendAlertRecord = {
  kind: 'spend_alert',
  id: 'alert_1',
  threshold: 5n * DOLLAR,
  webhook: 'https://hooks.example/path?token=1',
  signingSecret: `whsec_${new Uint8Array(32).fill(7).toBase64()}`,
  createdAt: 1,
}

let ledger: Ledger
let now: number
let received: { readonly call: UpstreamCall; readonly text: string }[]
let statuses: number[]
let booked = 0

beforeEach(async () => {
  ledger = await openSqliteLedger(':memory:')
  await makeFirstRecords(ledger, 1)
  await ledger.edit({ put: [ALERT], remove: [], audit: [] })
  now = NOON
  received = []
  statuses = []
})
afterEach(() => ledger.close())

const send: Send = async (call) => {
  received.push({ call, text: new TextDecoder().decode((await call.body) as Uint8Array) })
  return new Response('', { status: statuses.shift() ?? 204 })
}
const silent = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} }
/** Deadlines whose time is always over at once. */
const hasty = { start: (_ms: number, onExpire: () => void) => createDeadlines().start(1, onExpire) }
const watch = () => createAlertWatch({ ledger, send, deadlines: hasty, now: () => now, log: silent })

async function spend(dollars: number, at = now): Promise<void> {
  booked += 1
  const names = { requestId: 'r', keyId: 'key_1', projectId: 'proj_default', model: 'm', servedModel: 'm' }
  const more = {
    endpoint: 'responses',
    upstream: 'u',
    tier: 'default',
    isBatch: false,
    saved: 0,
    isEstimated: false,
    status: 200,
  }
  const how = { pricedBy: 'table', outcome: 'complete' } as const
  const id = booked.toString(16).padStart(32, '0')
  await ledger.book([{ ...names, ...more, ...how, id, at, usage: NO_USAGE, cost: dollars * Number(DOLLAR) }])
}

test('a message is sent once a month when the threshold is crossed, by one of all processes', async () => {
  const processes = [watch(), watch(), watch()]
  await spend(4.99)
  await watch().look()
  expect(received).toHaveLength(0)
  await spend(0.01)
  await Promise.all(processes.map((one) => one.look()))
  await watch().look()
  expect(received.map(({ call }) => [call.method, call.url.host, call.target])).toEqual([
    ['POST', 'hooks.example', '/path?token=1'],
  ])
  now = Date.UTC(2026, 11, 3)
  await watch().look()
  expect(received).toHaveLength(1)
  await spend(6)
  await watch().look()
  expect(received).toHaveLength(2)
})

test('it tells in cents what was spent, signed as OpenAI signs: the SDK takes it', async () => {
  await spend(7.5)
  now = Date.now()
  await spend(7.5)
  await watch().look()
  const [message] = received
  const client = new OpenAI({ apiKey: 'none', webhookSecret: ALERT.signingSecret })
  const event: unknown = await client.webhooks.unwrap(message?.text ?? '', message?.call.headers ?? {})
  expect(event).toMatchObject({
    object: 'event',
    type: 'spend_alert.crossed',
    data: {
      id: 'alert_1',
      object: 'organization.spend_alert',
      threshold_amount: 500,
      currency: 'USD',
      project_id: null,
    },
  })
  const forged = client.webhooks.unwrap((message?.text ?? '').replace('500', '501'), message?.call.headers ?? {})
  await expect(forged).rejects.toThrow('signature')
})

test('one that does not arrive is tried again, at once and later, under the same id', async () => {
  statuses = [500, 500, 503]
  await spend(5)
  await watch().look()
  expect(received).toHaveLength(3)
  await watch().look()
  expect(received).toHaveLength(3)
  now += 601_000
  statuses = [500]
  await watch().look()
  expect(received).toHaveLength(5)
  expect(new Set(received.map(({ call }) => call.headers.get('webhook-id')))).toEqual(
    new Set(['evt_alert_1_2026-11-01']),
  )
  now += 601_000
  await watch().look()
  expect(received).toHaveLength(5)
})

test('that of a project counts what the project has spent, by its own calendar', async () => {
  const project = { ...(await ledger.find('project', 'proj_default')), timeZone: 'Pacific/Auckland' }
  const ofProject = { ...ALERT, id: 'alert_2', projectId: 'proj_default' }
  await ledger.edit({ put: [project as never, ofProject], remove: [ALERT.id], audit: [] })
  // In Auckland December has begun.
  now = Date.UTC(2026, 10, 30, 12)
  await spend(9, Date.UTC(2026, 10, 30, 10))
  await watch().look()
  expect(received).toHaveLength(0)
  await spend(9)
  await watch().look()
  expect(received.map(({ call }) => call.headers.get('webhook-id'))).toEqual(['evt_alert_2_2026-12-01'])
})

test('a ledger that can’t be read is said once, and ends nothing', async () => {
  const said: unknown[] = []
  const broken = { ...ledger, list: () => Promise.reject(new Error('gone')) }
  const log = { ...silent, warn: (fields: unknown) => said.push(fields) }
  const one = createAlertWatch({ ledger: broken, send, deadlines: hasty, now: () => now, log })
  await one.look()
  await one.look()
  expect(said).toHaveLength(1)
})

test('one that has arrived is never sent again in its month, also when its lease is over', async () => {
  await spend(5)
  await watch().look()
  now += 601_000
  await watch().look()
  expect(received).toHaveLength(1)
  expect((await ledger.find('spend_alert', ALERT.id))?.notice?.isSent).toBe(true)
})
