import { expect, test } from 'bun:test'
import OpenAI from 'openai'
import { perTest } from '../helpers/per-test.ts'
import { startGateway } from '../helpers/start-gateway.ts'

const ADMIN_KEY = 'an-admin-key-of-this-test-0123456789abcdef'
const start = perTest(startGateway)

/** A gateway before the simulated OpenAI, managed by the SDK, with a key whose budget is told in cents. */
async function managed(spend_limit: object) {
  const env = { LEDGER: 'memory', ADMIN_KEY, OPENAI_API_KEY: 'sk-of-the-server' }
  const gateway = await start({ upstreams: { openai: 'simulated' }, env })
  const options = { baseURL: `${gateway.url}/v1`, maxRetries: 0 }
  const { organization } = new OpenAI({ ...options, adminAPIKey: ADMIN_KEY, apiKey: 'none' }).admin
  const project = await organization.projects.create({ name: 'team' })
  const account = await organization.projects.serviceAccounts.create(project.id, { name: 'bot', spend_limit } as never)
  const apiKey = account.api_key?.value ?? ''
  const own = async (): Promise<{ spend: { window: string; spent: number; remaining: number; limit: number }[] }> => {
    const headers = { authorization: `Bearer ${apiKey}` }
    const answer = await fetch(`${gateway.url}/v1/organization/projects/me/api_keys/me`, { headers })
    return (await answer.json()) as never
  }
  return { organization, project, key: account.api_key, own, caller: new OpenAI({ ...options, apiKey }) }
}

const ask = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'Hello!' }], max_tokens: 100 }
const today = () => ({ start_time: Math.floor(Date.now() / 1000) - 60 })

/** Asks again until the books have it: they are written behind the answers. */
async function until<T>(question: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await question()
    if (fits(answer)) return answer
  }
}

test('what a call used and cost is shown to its caller and to who manages: the same in limits, usage and costs', async () => {
  const { organization, project, key, own, caller } = await managed({ day: 100, total: 500 })
  const { usage } = await caller.chat.completions.create(ask)
  const { spend } = await own()
  const [day, total] = spend
  expect(day?.spent).toBeGreaterThan(0)
  expect(spend.map(({ window, limit }) => [window, limit])).toEqual([
    ['day', 100],
    ['total', 500],
  ])
  expect([day?.remaining, total?.remaining]).toEqual([100 - (day?.spent ?? 0), 500 - (day?.spent ?? 0)])
  const filter = { ...today(), project_ids: [project.id], group_by: ['api_key_id' as const] }
  const results = await until(
    async () => (await organization.usage.completions(filter)).data.flatMap((bucket) => bucket.results),
    (found) => found.length > 0,
  )
  expect(results).toMatchObject([
    {
      api_key_id: key?.id,
      input_tokens: usage?.prompt_tokens,
      output_tokens: usage?.completion_tokens,
      num_model_requests: 1,
    },
  ])
  const costs = (await organization.usage.costs(filter)).data.flatMap((bucket) => bucket.results)
  expect(costs).toMatchObject([{ api_key_id: key?.id, amount: { currency: 'usd' } }])
  const [cost] = costs as { amount?: { value?: number } }[]
  expect((cost?.amount?.value ?? 0) * 100).toBeCloseTo(day?.spent ?? 0, 9)
  const found = await organization.projects.apiKeys.retrieve(key?.id ?? '', { project_id: project.id })
  expect(found as unknown).toMatchObject({ last_used_at: expect.any(Number), spend: [{ spent: day?.spent }, {}] })
})

test('a project’s limit is enforcing once calls are refused because of it, and a higher one lets them in at once', async () => {
  const { organization, project, caller } = await managed({})
  const money = { currency: 'USD' as const, interval: 'month' as const }
  expect(await organization.projects.spendLimit.update(project.id, { ...money, threshold_amount: 0 })).toMatchObject({
    enforcement: { status: 'enforcing' },
  })
  const refused = await caller.chat.completions.create(ask).catch((error: Error) => error.message)
  expect(refused).toContain('spend limit of project')
  expect(await organization.projects.spendLimit.update(project.id, { ...money, threshold_amount: 50 })).toMatchObject({
    enforcement: { status: 'inactive' },
  })
  expect((await caller.chat.completions.create(ask)).object).toBe('chat.completion')
})
