import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Env, gatewayCommand } from '../helpers/gateway-under-test.ts'
import { getText, sendRaw } from '../helpers/raw-client.ts'
import { watchReloads } from '../helpers/reloads.ts'
import { runProgram } from '../helpers/run-program.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

/** Any interface, as in a container: there nobody is a program of this machine. */
const PUBLIC: Env = { OPENAI_API_BASE: 'http://127.0.0.1:9/v1', HOST: '0.0.0.0' }
const TOKEN = 'token-of-alice-0123456789'
const NO_SUCH_KEY = `$\{NO_SUCH_KEY}`
const MODELS = {
  cassette: 1,
  request: { method: 'GET', path: '/v1/models' },
  response: { status: 200, headers: { 'content-type': 'application/json' }, body: { json: { object: 'list' } } },
}
/** What may come along without a key. */
const CALLERS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['from anywhere', { Host: 'replay.example.com' }],
  ['behind a proxy', { 'X-Forwarded-For': '203.0.113.7', Via: '1.1 proxy' }],
  ['with an empty key', { Authorization: 'Bearer ' }],
  ['of a page of another site', { Origin: 'https://example.com' }],
]

let folder: string
let gateway: TestGateway | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexcode-keyless-'))
  await writeFile(join(folder, '0001-models.json'), JSON.stringify(MODELS))
})
afterEach(async () => {
  await gateway?.stop()
  gateway = undefined
  await rm(folder, { recursive: true, force: true })
})

async function replay(args: readonly string[] = [], env: Env = {}): Promise<TestGateway> {
  const command = [...gatewayCommand(), 'replay', '--from', folder, ...args]
  gateway = await startGateway({ env: { ...PUBLIC, ...env }, command })
  return gateway
}

const statusOf = async ({ port }: TestGateway, headers: Readonly<Record<string, string>>): Promise<number> =>
  (await sendRaw(port, getText('/v1/models', headers))).status

describe('where only cassettes answer', () => {
  test('nobody needs a key, whoever it is, and a request without a cassette is the 404 that says so', async () => {
    const player = await replay()
    const { access } = await player.line(({ msg }) => msg === 'listening')
    expect(access).toBe('off: no key is needed, any will do, and none is spent.')
    for (const [who, headers] of CALLERS) expect([who, await statusOf(player, headers)]).toEqual([who, 200])
    const miss = await sendRaw(player.port, getText('/v1/files'))
    expect([miss.status, miss.json()]).toMatchObject([404, { error: { code: 'no_cassette' } }])
  })

  test('a server that asks for tokens goes on to ask for them', async () => {
    const player = await replay([], { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN })
    expect(await statusOf(player, {})).toBe(401)
    expect(await statusOf(player, { Authorization: `Bearer ${TOKEN}` })).toBe(200)
  })

  test.each([
    `api_key: "${NO_SUCH_KEY}"`,
    `api_keys: ["${NO_SUCH_KEY}", "$\{NOR_THIS_ONE}"]`,
    'api_key_file: /nowhere/key',
  ])('a file that names a key which there is none of (%s) is read all the same, and again', async (key) => {
    const path = join(folder, 'nexcode.yaml')
    const text = `upstreams: { up: { preset: openai, ${key} } }\nmodels: { smart: { targets: [{ upstream: up }] } }\n`
    await writeFile(path, text)
    const player = await replay(['--config', path])
    expect(await statusOf(player, {})).toBe(200)
    expect(await watchReloads(player).hangUp()).toMatchObject({ msg: 'configuration reloaded (SIGHUP)' })
    await writeFile(path, text.replace('targets', 'tragets'))
    expect(await watchReloads(player).hangUp()).toMatchObject({
      problems: expect.arrayContaining([expect.stringContaining('tragets')]),
    })
  })

  test('a stranger is not told who the upstreams of a file are', async () => {
    const path = join(folder, 'nexcode.yaml')
    await writeFile(path, 'upstreams: { secretive: { base_url: http://127.0.0.1:9/v1 } }')
    const player = await replay(['--config', path])
    const ready = await sendRaw(player.port, getText('/ready'))
    expect([ready.status, ready.text()]).toEqual([200, '{"status":"ready"}'])
  })
})

test.each(['forward', 'record'])(
  'where what is missing goes to an upstream (--on-miss %s) a caller needs a key, also for what is there',
  async (onMiss) => {
    const player = await replay(['--on-miss', onMiss])
    for (const [who, headers] of CALLERS) expect([who, await statusOf(player, headers)]).toEqual([who, 401])
    expect(await statusOf(player, { Authorization: 'Bearer sk-mine' })).toBe(200)
  },
)

test('where an upstream may be asked, a file whose key there is none of is an error', async () => {
  const path = join(folder, 'nexcode.yaml')
  await writeFile(path, `upstreams: { up: { preset: openai, api_key: "${NO_SUCH_KEY}" } }`)
  const { code, stderr } = await runProgram(
    ['replay', '--from', folder, '--on-miss', 'forward', '--config', path],
    PUBLIC,
  )
  expect([code, stderr]).toEqual([2, expect.stringContaining('names the variable NO_SUCH_KEY, which is not set')])
})
