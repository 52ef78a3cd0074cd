import { expect, test } from 'bun:test'
import { answerUsed, errorOf, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'

/** A call of gpt-4o that costs half a cent. */
const HALF_CENT = answerUsed(0, 500)
const CAP = { max_tokens: 500 }
const FREE = { max_tokens: 100 }

/** The path of the key that a project has. */
async function keyPath({ admin }: MeteredGateway, projectId: string): Promise<string> {
  const { data } = await admin('GET', `/projects/${projectId}/api_keys`)
  return `/projects/${projectId}/api_keys/${(data as readonly { readonly id: string }[])[0]?.id}`
}

async function call(gateway: MeteredGateway, key: string, times: number): Promise<void> {
  for (let called = 0; called < times; called += 1) {
    const answer = await gateway.ask(key, CAP)
    expect([answer.status, await answer.text()]).toMatchObject([200, expect.stringContaining('hello')])
  }
}

test('a limit that was taken away and is put back counts what was spent meanwhile, at once: a key', async () => {
  await using gateway = await startMetered(HALF_CENT)
  const project = await gateway.project()
  const key = await gateway.key({ spend_limit: { month: 100 } }, project)
  const path = await keyPath(gateway, project)
  await call(gateway, key, 1)
  await gateway.admin('POST', path, { spend_limit: null })
  await call(gateway, key, 3)
  await gateway.admin('POST', path, { spend_limit: { month: 2 } })
  expect(await gateway.spend(key)).toEqual({ spent: 20_000_000n, held: 0n })
  expect((await errorOf(await gateway.ask(key, FREE))).code).toBe('insufficient_quota')
})

test.each([
  ['a project', (project: string) => `/projects/${project}/spend_limit`],
  ['the organization', () => '/spend_limit'],
])(
  'a limit that was taken away and is put back counts what was spent meanwhile, at once: %s',
  async (_name, pathOf) => {
    await using gateway = await startMetered(HALF_CENT)
    const project = await gateway.project()
    const key = await gateway.key({}, project)
    const path = pathOf(project)
    const limit = { currency: 'USD', interval: 'month' }
    await gateway.admin('POST', path, { ...limit, threshold_amount: 100 })
    await call(gateway, key, 1)
    await gateway.admin('DELETE', path)
    await call(gateway, key, 3)
    await gateway.admin('POST', path, { ...limit, threshold_amount: 2 })
    expect((await errorOf(await gateway.ask(key, FREE))).code).toBe('insufficient_quota')
  },
)

test('a first limit counts the calls that were made just before it', async () => {
  await using gateway = await startMetered(HALF_CENT)
  const project = await gateway.project()
  const key = await gateway.key({}, project)
  const path = await keyPath(gateway, project)
  await call(gateway, key, 4)
  await gateway.admin('POST', path, { spend_limit: { month: 2 } })
  expect((await errorOf(await gateway.ask(key, FREE))).code).toBe('insufficient_quota')
})
