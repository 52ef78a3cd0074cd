import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import OpenAI, { type APIError } from 'openai'
import { answerUsed, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'

const ADMIN_KEY = 'an-admin-key-of-this-test-0123456789abcdef'

let gateway: MeteredGateway
let organization: OpenAI['admin']['organization']
let whileAsked: () => Promise<unknown> = async () => undefined

beforeAll(async () => {
  // A call costs 1.25 cents.
  const answer = answerUsed(1000, 1000)
  gateway = await startMetered(
    async (request, connection) => {
      await whileAsked()
      await answer(request, connection)
    },
    { env: { ADMIN_KEY, LEDGER: 'memory' } },
  )
  const client = new OpenAI({ adminAPIKey: ADMIN_KEY, apiKey: 'none', baseURL: `${gateway.url}/v1`, maxRetries: 0 })
  organization = client.admin.organization
})
afterAll(() => gateway.stop())

async function errorOf(call: PromiseLike<unknown>): Promise<APIError> {
  return call.then(
    () => {
      throw new Error('The call was answered.')
    },
    (error: APIError) => error,
  ) as Promise<APIError>
}

async function newKey(more: object = {}) {
  const project = await organization.projects.create({ name: 'team' })
  const account = await organization.projects.serviceAccounts.create(project.id, { name: 'bot', ...more })
  if (account.api_key === null) throw new Error('There is no key.')
  return { key: account.api_key, project_id: project.id }
}

test('null takes the expiry of a key away; a key without the field keeps it', async () => {
  const { key, project_id } = await newKey({ expires_in_seconds: 60 })
  const change = (fields: object) => organization.projects.apiKeys.update(key.id, { project_id, ...fields } as never)
  expect(await change({ scopes: ['api.all'] })).toMatchObject({ expires_at: expect.any(Number) })
  expect(await change({ expires_in_seconds: null })).toMatchObject({ expires_at: null })
  expect(await change({ scopes: [] })).toMatchObject({ expires_at: null })
})

test('one window of a spend limit is taken away by itself, and all of them by null', async () => {
  const { key, project_id } = await newKey({ spend_limit: { day: 5, month: 50 } })
  const change = (fields: object) => organization.projects.apiKeys.update(key.id, { project_id, ...fields } as never)
  expect((await change({ spend_limit: { month: null } })) as unknown).toMatchObject({
    spend_limit: { day: 5, month: null },
  })
  expect((await change({ spend_limit: null })) as unknown).toMatchObject({ spend_limit: null })
})

test('a cursor that is no id of this server is refused, and no empty page: that would pass for the end', async () => {
  const { project_id } = await newKey()
  const { projects } = organization
  const lists: readonly ((cursor: object) => PromiseLike<unknown>)[] = [
    (cursor) => projects.list(cursor),
    (cursor) => projects.apiKeys.list(project_id, cursor),
    (cursor) => projects.serviceAccounts.list(project_id, cursor),
    (cursor) => projects.rateLimits.listRateLimits(project_id, cursor),
    (cursor) => projects.spendAlerts.list(project_id, cursor),
    (cursor) => organization.spendAlerts.list(cursor),
    (cursor) => organization.adminAPIKeys.list(cursor),
    (cursor) => organization.auditLogs.list(cursor),
  ]
  for (const list of lists)
    expect(await errorOf(list({ after: 'bogus' }))).toMatchObject({
      status: 400,
      code: 'invalid_value',
      param: 'after',
    })
  for (const list of lists.slice(3, 6))
    expect(await errorOf(list({ before: 'bogus' }))).toMatchObject({ status: 400, param: 'before' })
})

describe('a spend limit', () => {
  const money = { currency: 'USD' as const, interval: 'month' as const }

  test('is answered as it was asked for, also where two are set at once', async () => {
    const { project_id } = await newKey()
    const amounts = [100, 200, 300, 400, 500, 600]
    const answers = await Promise.all(
      amounts.map((threshold_amount) =>
        organization.projects.spendLimit.update(project_id, { ...money, threshold_amount }),
      ),
    )
    expect(answers.map(({ threshold_amount }) => threshold_amount)).toEqual(amounts)
  })

  test('is enforcing once it is spent, and not while it is only held for calls under way', async () => {
    const { key, project_id } = await newKey()
    await organization.projects.spendLimit.update(project_id, { ...money, threshold_amount: 2 })
    const statusWithin: string[] = []
    const status = async () => (await organization.projects.spendLimit.retrieve(project_id)).enforcement.status
    const call = async () => {
      const answer = await gateway.ask(key.value, { max_tokens: 1500, messages: [{ role: 'user', content: 'hi' }] })
      return answer.status
    }
    whileAsked = async () => statusWithin.push(await status())
    expect(await call()).toBe(200)
    expect(statusWithin).toEqual(['inactive'])
    await organization.projects.spendLimit.update(project_id, { ...money, threshold_amount: 1 })
    expect(await status()).toBe('enforcing')
    expect(await call()).toBe(429)
  })
})
