import { expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const ADMIN_KEY = 'an-admin-key-of-this-test-0123456789abcdef'
const ALICE = 'sk-nex-alice-0123456789abcdef0123456789'
const start = perTest(startGateway)

/** A gateway whose file has a project with a key. */
async function declared() {
  const gateway = await start({
    upstreams: { openai: answerOk },
    file: {
      ledger: { store: 'memory' },
      projects: { 'team-a': { time_zone: 'Asia/Tokyo', spend_limit: { month: 50 }, keys: { alice: { key: ALICE } } } },
    },
    env: { ADMIN_KEY },
  })
  const ask = async (method: string, path: string, body?: object, key = ADMIN_KEY) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const init = body === undefined ? {} : { body: JSON.stringify(body) }
    const answer = await fetch(`${gateway.url}/v1/organization/${path}`, { method, headers, ...init })
    return { status: answer.status, body: (await answer.json()) as never }
  }
  return { ask, gateway }
}

test('what the file declares is shown as its own, money in cents', async () => {
  const { ask } = await declared()
  expect((await ask('GET', 'projects')).body).toMatchObject({
    data: expect.arrayContaining([
      expect.objectContaining({
        id: 'proj_team-a',
        name: 'team-a',
        managed_by: 'file',
        time_zone: 'Asia/Tokyo',
        spend_limit: { currency: 'USD', day: null, week: null, month: 5000, total: null },
      }),
    ]),
  })
  const { body } = await ask('GET', 'projects/proj_team-a/api_keys')
  expect(body).toMatchObject({
    data: [{ id: 'key_team-a.alice', name: 'alice', managed_by: 'file', owner: { type: expect.any(String) } }],
  })
  expect(JSON.stringify(body)).not.toContain(ALICE)
  expect((await ask('GET', 'projects/me/api_keys/me', undefined, ALICE)).body).toMatchObject({
    id: 'key_team-a.alice',
    project: { spend: [{ window: 'month', limit: 5000, remaining: 5000 }] },
  })
})

test('it can’t be changed by the API: the error says where it stands, and no SDK tries again', async () => {
  const { ask } = await declared()
  const project = 'projects/proj_team-a'
  for (const [method, path, body] of [
    ['POST', project, { name: 'x' }],
    ['POST', `${project}/archive`, undefined],
    ['POST', `${project}/spend_limit`, { currency: 'USD', interval: 'month', threshold_amount: 9 }],
    ['DELETE', `${project}/spend_limit`, undefined],
    ['POST', `${project}/model_permissions`, { mode: 'deny_list', model_ids: [] }],
    ['POST', `${project}/rate_limits/rl-m`, { max_requests_per_1_minute: 1 }],
    ['POST', `${project}/api_keys/key_team-a.alice`, { concurrency: 1 }],
    ['POST', `${project}/api_keys/key_team-a.alice/rotate`, {}],
    ['DELETE', `${project}/api_keys/key_team-a.alice`, undefined],
  ] as const) {
    const refused = await ask(method, path, body)
    expect([path, refused.status]).toEqual([path, 400])
    expect(refused.body).toMatchObject({
      error: { code: 'managed_by_file', message: expect.stringContaining('projects:') },
    })
  }
  const events = (await ask('GET', 'audit_logs')).body
  expect(JSON.stringify(events)).not.toContain('ADMIN_KEY')
})

test('the default project stays, and names of JavaScript are names like any other', async () => {
  const { ask } = await declared()
  expect((await ask('POST', 'projects/proj_default/archive')).status).toBe(400)
  for (const [method, path, body, param] of [
    ['GET', 'projects?__proto__=1', undefined, '__proto__'],
    ['GET', 'projects?constructor=1', undefined, 'constructor'],
    ['POST', 'projects', JSON.parse('{"name":"x","__proto__":{"spend_limit":null}}') as object, '__proto__'],
    ['GET', 'projects?limit=many', undefined, 'limit'],
  ] as const)
    expect((await ask(method, path, body)).body).toMatchObject({ error: { param } })
  expect((await ask('POST', 'projects', ['name'])).body).toMatchObject({ error: { code: null, param: null } })
})
