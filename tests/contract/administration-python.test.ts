import { expect, test } from 'bun:test'
import { answerUsed } from '../helpers/metered-gateway.ts'
import { preparePython } from '../helpers/python.ts'
import { startGateway } from '../helpers/start-gateway.ts'

const SCRIPT = new URL('python/administration_cases.py', import.meta.url).pathname
const ADMIN_KEY = 'an-admin-key-of-this-test-0123456789abcdef'
const python = await preparePython()
if ('missing' in python) process.stderr.write(`(skip) the administration with the Python SDK: ${python.missing}\n`)

const number = expect.any(Number)
const project = (more: object) =>
  expect.objectContaining({ object: 'organization.project', created_at: number, status: 'active', ...more })
const secret = expect.stringMatching(/^sk-nex-/)

/** What each case of the script must give. */
const EXPECTED: Readonly<Record<string, unknown>> = {
  projects: [
    project({ name: 'py', time_zone: 'Asia/Tokyo', concurrency: 4, archived_at: null }),
    project({ name: 'py-2', time_zone: 'Asia/Tokyo' }),
    true,
    expect.objectContaining({ status: 'archived', archived_at: number }),
  ],
  keys: {
    account: expect.objectContaining({ role: 'member', api_key: expect.objectContaining({ value: secret }) }),
    key: expect.objectContaining({ name: 'two', value: secret, expires_at: null }),
    changed: expect.objectContaining({
      expires_at: number,
      owner: expect.objectContaining({ type: 'service_account' }),
    }),
    found: expect.objectContaining({ spend_limit: expect.objectContaining({ month: 250 }) }),
    listed: [['Secret Key', 'two'], ['bot']],
    deleted: [true, true],
    admin: ['organization.admin_api_key', ['other'], true],
  },
  limits: {
    rate: expect.objectContaining({ model: 'gpt-4o', max_requests_per_1_minute: 9 }),
    rates: ['gpt-4o'],
    models: { mode: 'deny_list', model_ids: ['o3'], object: 'project.model_permissions' },
    limit: expect.objectContaining({ threshold_amount: 100, enforcement: { status: 'inactive' } }),
    of_all: [expect.objectContaining({ object: 'organization.spend_limit' }), true],
    alert: expect.objectContaining({ object: 'project.spend_alert', threshold_amount: 100 }),
    alerts: [true],
  },
  usage: expect.objectContaining({ completions: [5, false], costs: [5, false], web_search_calls: [5, false] }),
  booked: [
    [1000, 'gpt-4o', true],
    [{ currency: 'usd', value: 0.0035 }, 'gpt-4o', true],
  ],
  audit: [expect.objectContaining({ type: 'project.created' })],
  errors: [
    { raises: 'BadRequestError', status: 400, code: 'unknown_parameter', param: 'colour' },
    { raises: 'NotFoundError', status: 404, code: 'not_found', param: null },
    { raises: 'NotFoundError', status: 404, code: 'unknown_url', param: null },
    { raises: 'AuthenticationError', status: 401, code: 'invalid_api_key', param: null },
  ],
}

test.skipIf('missing' in python)(
  'the official Python SDK manages a gateway, and its objects are complete',
  async () => {
    if ('missing' in python) return
    await using gateway = await startGateway({
      upstreams: { openai: answerUsed(1000, 100) },
      settings: { openai: {} },
      env: { LEDGER: 'memory', ADMIN_KEY, OPENAI_API_KEY: 'sk-of-the-server' },
    })
    const child = Bun.spawn([python.executable, '-B', SCRIPT], {
      env: { GATEWAY: `${gateway.url}/v1`, ADMIN_KEY },
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const [printed, complaints] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ])
    if ((await child.exited) !== 0) throw new Error(complaints)
    const cases = printed
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { case: string; result: unknown })
    for (const one of cases) expect([one.case, one.result]).toEqual([one.case, EXPECTED[one.case]])
    expect(cases.map((one) => one.case)).toEqual(Object.keys(EXPECTED))
  },
  60_000,
)
