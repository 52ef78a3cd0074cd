import { afterEach, describe, expect, test } from 'bun:test'
import { ADMIN, answerUsed, errorOf } from '../helpers/metered-gateway.ts'
import { startGateway } from '../helpers/start-gateway.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

/** A gateway that wants no token, whose calls cost 1.25 cents. `isLent`: its upstream is spoken to with the server's key alone. */
async function start(isLent: boolean) {
  const upstreams = { openai: answerUsed(1000, 1000) }
  const env = { LEDGER: 'memory', ADMIN_KEY: ADMIN, OPENAI_API_KEY: 'sk-server' }
  const gateway = isLent
    ? await startGateway({ upstreams, settings: { openai: { api_key: 'sk-server' } }, env })
    : await startGateway({ upstreams, env })
  cleanUps.push(gateway.stop)
  const admin = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${gateway.url}/v1/organization${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return (await answer.json()) as Record<string, unknown>
  }
  const call = (key?: string, more: object = {}) =>
    gateway.chat(
      { model: 'gpt-4o', max_tokens: 1000, ...more },
      key === undefined ? {} : { authorization: `Bearer ${key}` },
    )
  return { gateway, admin, call }
}

const MONTH = { currency: 'USD', interval: 'month' }

describe('calls of this machine without a key, which are lent the server’s', () => {
  test('are under the rates of the default project', async () => {
    const { admin, call } = await start(false)
    await admin('POST', '/projects/proj_default/rate_limits/rl-*', { max_requests_per_1_minute: 1 })
    expect((await call()).status).toBe(200)
    const refused = await call()
    expect([refused.status, (await errorOf(refused)).code]).toEqual([429, 'rate_limit_exceeded'])
  })

  test('are under the models of the default project', async () => {
    const { admin, call } = await start(false)
    await admin('POST', '/projects/proj_default/model_permissions', { mode: 'allow_list', model_ids: ['gpt-4o-mini'] })
    expect((await call()).status).toBe(404)
    expect((await call(undefined, { model: 'gpt-4o-mini' })).status).toBe(200)
  })

  test('spend the budget of all, and are refused once it is spent: what is enforced is what is shown', async () => {
    const { admin, call } = await start(false)
    await admin('POST', '/spend_limit', { ...MONTH, threshold_amount: 2 })
    expect((await call()).status).toBe(200)
    const refused = await call()
    expect([refused.status, refused.headers.get('x-nexcode-error-code')]).toEqual([
      429,
      'organization_spend_limit_exceeded',
    ])
    expect((await errorOf(refused)).code).toBe('insufficient_quota')
  })
})

describe('calls with a key that is none of this server’s', () => {
  test('are under no limit where that key is spent', async () => {
    const { admin, call, gateway } = await start(false)
    await admin('POST', '/projects/proj_default/rate_limits/rl-*', { max_requests_per_1_minute: 1 })
    await admin('POST', '/spend_limit', { ...MONTH, threshold_amount: 1 })
    const statuses = [(await call('sk-own')).status, (await call('sk-own')).status, (await call('sk-own')).status]
    expect(statuses).toEqual([200, 200, 200])
    expect(gateway.upstreams.openai.requests.map((request) => request.header('authorization'))).toEqual(
      Array(3).fill('Bearer sk-own'),
    )
  })

  test('are under the limits of the default project where the server’s key is spent instead', async () => {
    const { admin, call, gateway } = await start(true)
    await admin('POST', '/projects/proj_default/rate_limits/rl-*', { max_requests_per_1_minute: 2 })
    await admin('POST', '/projects/proj_default/model_permissions', { mode: 'deny_list', model_ids: ['o3'] })
    expect((await call('none', { model: 'o3' })).status).toBe(404)
    expect([(await call('none')).status, (await call('other')).status, (await call('none')).status]).toEqual([
      200, 200, 429,
    ])
    expect(gateway.upstreams.openai.requests.at(-1)?.header('authorization')).toBe('Bearer sk-server')
  })

  test('are so by the upstream that their model goes to, where one takes callers’ keys and another does not', async () => {
    const gateway = await startGateway({
      upstreams: { own: answerUsed(1000, 1000), ours: answerUsed(1000, 1000) },
      settings: { own: { auth: 'caller' }, ours: { api_key: 'sk-server' } },
      file: { models: { theirs: { targets: [{ upstream: 'own' }] }, lent: { targets: [{ upstream: 'ours' }] } } },
      env: { LEDGER: 'memory', ADMIN_KEY: ADMIN },
    })
    cleanUps.push(gateway.stop)
    const answer = await fetch(`${gateway.url}/v1/organization/projects/proj_default/rate_limits/rl-*`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ max_requests_per_1_minute: 1 }),
    })
    expect(answer.status).toBe(200)
    const call = async (model: string) => (await gateway.chat({ model }, { authorization: 'Bearer sk-own' })).status
    expect([await call('theirs'), await call('theirs'), await call('lent'), await call('lent')]).toEqual([
      200, 200, 200, 429,
    ])
  })
})
