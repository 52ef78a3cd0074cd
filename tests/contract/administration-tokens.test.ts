import { afterAll, beforeAll, expect, test } from 'bun:test'
import OpenAI, { type APIError } from 'openai'
import { ADMIN, answerUsed, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import { until } from '../helpers/until.ts'

const ALICE = 'token-of-alice-0123456789'
const NAMELESS = 'token-of-nobody-0123456789'

let gateway: MeteredGateway
let organization: OpenAI['admin']['organization']

beforeAll(async () => {
  const env = { LEDGER: 'memory', API_TOKEN: `alice:${ALICE},${NAMELESS}` }
  gateway = await startMetered(answerUsed(1000, 1000), { env })
  const client = new OpenAI({ adminAPIKey: ADMIN, apiKey: 'none', baseURL: `${gateway.url}/v1`, maxRetries: 0 })
  organization = client.admin.organization
})
afterAll(() => gateway.stop())

const project_id = 'proj_default'
const keysOf = (limit: number) =>
  Array.fromAsync(organization.projects.apiKeys.list(project_id, { limit })).then((keys) => keys.map(({ id }) => id))

async function getOwn(credential: string, path = 'projects/me/api_keys/me') {
  const headers = { authorization: `Bearer ${credential}` }
  const answer = await fetch(`${gateway.url}/v1/organization/${path}`, { headers })
  return { status: answer.status, body: (await answer.json()) as unknown }
}

test('API tokens are keys of the default project: listed once each, whatever the pages, and found by their ids', async () => {
  const account = await organization.projects.serviceAccounts.create(project_id, { name: 'bot' })
  const all = await keysOf(100)
  expect(all).toEqual(['key_token.alice', expect.stringMatching(/^key_token\.token-[0-9a-f]{8}$/), account.api_key?.id])
  expect([await keysOf(1), await keysOf(2), await keysOf(3)]).toEqual([all, all, all])
  const created_at = (await organization.projects.retrieve(project_id)).created_at
  expect((await organization.projects.apiKeys.retrieve('key_token.alice', { project_id })) as unknown).toMatchObject({
    object: 'organization.project.api_key',
    name: 'alice',
    redacted_value: '...6789',
    created_at,
    expires_at: null,
    owner: { type: 'user', user: { id: 'user-operator' } },
    owner_project_access: 'active',
    managed_by: 'file',
  })
})

test('API tokens can’t be changed by the API, which says where they can', async () => {
  const { apiKeys } = organization.projects
  const changes = [
    apiKeys.delete('key_token.alice', { project_id }),
    apiKeys.update('key_token.alice', { project_id, scopes: ['api.all'] }),
  ]
  for (const change of changes) {
    const error: APIError = await change.then(
      () => Promise.reject(new Error('It was changed.')),
      (thrown: APIError) => thrown,
    )
    expect(error).toMatchObject({ status: 400, code: 'managed_by_file' })
    expect(error.message).toContain('API_TOKEN')
  }
  const { id } = await organization.projects.create({ name: 'other' })
  const elsewhere = apiKeys.retrieve('key_token.alice', { project_id: id })
  expect(await elsewhere.catch((error: APIError) => error.status)).toBe(404)
})

test('an API token sees its own limits and spend, and nothing else', async () => {
  const limit = { currency: 'USD' as const, interval: 'month' as const, threshold_amount: 500 }
  await organization.projects.spendLimit.update(project_id, limit)
  expect(await getOwn(ALICE)).toMatchObject({
    status: 200,
    body: { id: 'key_token.alice', spend: [], project: { id: project_id, spend: [{ window: 'month', limit: 500 }] } },
  })
  expect((await getOwn(ALICE, 'projects')).status).toBe(403)
  expect((await getOwn(`${ALICE}x`)).status).toBe(401)
})

test('usage and costs name an API token by the id that finds it', async () => {
  expect((await gateway.ask(ALICE)).status).toBe(200)
  const start_time = Math.floor(Date.now() / 86_400_000) * 86_400
  const asked = { start_time, group_by: ['api_key_id' as const, 'project_id' as const] }
  await until(async () => ((await organization.usage.completions(asked)).data.at(-1)?.results.length ?? 0) > 0)
  const { data } = await organization.usage.costs(asked)
  expect(data.at(-1)?.results).toMatchObject([{ project_id, api_key_id: 'key_token.alice', amount: { value: 0.0125 } }])
  expect(
    (await organization.projects.apiKeys.retrieve('key_token.alice', { project_id })).last_used_at,
  ).toBeGreaterThan(0)
})
