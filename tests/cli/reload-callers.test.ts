import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Env, gatewayCommand } from '../helpers/gateway-under-test.ts'
import { getText, openRawClient, postText } from '../helpers/raw-client.ts'
import { watchReloads } from '../helpers/reloads.ts'
import { type ScriptedUpstream, startScriptedUpstream, type UpstreamConnection } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const [ALICE, BOB, CAROL] = ['alices-token-0000001', 'bobs-token-000000002', 'carols-token-0000003'] as const
/** A revoked token is to be out within a second; tests run beside others on few cores. */
const REVOKED_MS_MAX = 5_000

let upstream: ScriptedUpstream
const streams: UpstreamConnection[] = []
beforeAll(async () => {
  upstream = await startScriptedUpstream((request, connection) => {
    if (request.method === 'GET') return connection.json({ key: request.header('authorization') ?? null })
    connection.startChunked(200, { 'content-type': 'text/event-stream' })
    connection.chunk('data: {"n":1}\n\n')
    streams.push(connection)
  })
})
afterAll(() => upstream.close())

let folder = ''
let gateway: TestGateway | undefined
afterEach(async () => {
  await gateway?.stop()
  gateway = undefined
  rmSync(folder, { recursive: true, force: true })
})

/** A server whose tokens and key come from files. */
async function start(env: Env = {}, tokens = `alice ${ALICE}\nbob ${BOB}\n`) {
  folder = mkdtempSync(join(tmpdir(), 'nexcode-callers-'))
  const file = (name: string): string => join(folder, name)
  writeFileSync(file('tokens'), tokens)
  writeFileSync(file('key'), 'sk-the-first-key')
  const started = await startGateway({
    env: {
      ...{ OPENAI_API_BASE: `${upstream.url}/v1`, OPENAI_API_KEY_FILE: file('key') },
      ...{ REQUIRE_AUTH: 'true', API_TOKEN_FILE: file('tokens'), ...env },
    },
    command: gatewayCommand(),
  })
  gateway = started
  const ask = async (token: string) => {
    const response = await fetch(`${started.url}/v1/models`, { headers: { authorization: `Bearer ${token}` } })
    const { key } = (await response.json()) as { key?: unknown }
    return [response.status, key]
  }
  return { ...watchReloads(started), started, file, ask }
}

test('a token that is taken out of its file is out at once, also on a connection that is open; one that is added is in', async () => {
  const { started, file, ask, reloaded } = await start()
  const client = await openRawClient(started.port)
  client.write(getText('/v1/models', { Authorization: `Bearer ${BOB}` }))
  expect((await client.response()).status).toBe(200)

  const since = performance.now()
  writeFileSync(file('tokens'), `alice ${ALICE}\ncarol ${CAROL}\n`)
  while ((await ask(BOB))[0] === 200) if (performance.now() - since > REVOKED_MS_MAX) throw new Error('not revoked')
  expect(await reloaded(1)).toMatchObject({
    ...{ tokens: 2, tokens_added: ['carol'], tokens_removed: ['bob'] },
    read: [expect.stringContaining('key (OPENAI_API_KEY_FILE)'), expect.stringContaining('tokens (API_TOKEN_FILE)')],
    not_read: ['OPENAI_API_BASE', 'HOST', 'PORT', 'REQUIRE_AUTH', 'LOG_LEVEL', 'LOG_FORMAT', 'MAX_FAILED_REPEATS'],
  })
  expect((await ask(CAROL))[0]).toBe(200)
  expect((await ask(ALICE))[0]).toBe(200)
  const before = client.received().length
  client.write(getText('/v1/models', { Authorization: `Bearer ${BOB}` }))
  await client.until((received) => received.subarray(before).toString().startsWith('HTTP/1.1 401'))
  client.leave()
})

test('a stream of a token that is revoked meanwhile ends as it would', async () => {
  const { started, file, reloaded, ask } = await start()
  const client = await openRawClient(started.port)
  const body = '{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}'
  client.write(postText('/v1/chat/completions', body, { Authorization: `Bearer ${BOB}` }))
  await client.until((received) => received.includes('"n":1'))
  writeFileSync(file('tokens'), `alice ${ALICE}\n`)
  await reloaded(1)
  expect((await ask(BOB))[0]).toBe(401)
  const stream = streams.at(-1)
  stream?.chunk('data: {"n":2}\n\ndata: [DONE]\n\n')
  stream?.endChunks()
  await client.until((received) => received.toString().endsWith('[DONE]\n\n\r\n0\r\n\r\n'))
  expect(await started.line(({ route }) => route === 'chat.completions')).toMatchObject({
    principal: 'bob',
    outcome: 'complete',
  })
  client.leave()
})

test("the upstream's key is read again from its file, on SIGHUP as on a change", async () => {
  const { file, ask, hangUp, reloaded } = await start()
  expect(await ask(ALICE)).toEqual([200, 'Bearer sk-the-first-key'])
  writeFileSync(file('key'), 'sk-the-second-key\n')
  await hangUp()
  expect(await ask(ALICE)).toEqual([200, 'Bearer sk-the-second-key'])
  writeFileSync(file('key'), 'sk-the-third-key\n')
  await reloaded(2)
  expect(await ask(ALICE)).toEqual([200, 'Bearer sk-the-third-key'])
})

test.each([
  ['tokens', '', /^API_TOKEN_FILE names an empty file/],
  ['tokens', '# nobody\n\n', /^API_TOKEN_FILE names a file without a token/],
  ['tokens', 'alice short\n', /^API_TOKEN_FILE has a token of fewer than 16 characters/],
  ['tokens', `alice ${ALICE}\nbob ${ALICE}\n`, /^API_TOKEN_FILE has one token twice/],
  ['key', ' \n', /^OPENAI_API_KEY_FILE names an empty file/],
  ['key', 'sk two words', /^OPENAI_API_KEY_FILE has whitespace inside/],
])(
  'a file of %s that is bad (%j) is refused whole: the old one goes on, and the log says why',
  async (name, text, why) => {
    const { file, ask, refused, counts } = await start()
    writeFileSync(file(name), text)
    expect(await refused(1)).toMatchObject({ level: 50, problems: [expect.stringMatching(why)] })
    expect(await ask(ALICE)).toEqual([200, 'Bearer sk-the-first-key'])
    expect((await ask(BOB))[0]).toBe(200)
    expect(counts()).toEqual({ reloaded: 0, refused: 1 })
  },
)

test('a file of tokens that is taken away is refused, and read when it is back', async () => {
  const { file, ask, refused, reloaded } = await start()
  unlinkSync(file('tokens'))
  expect(await refused(1)).toMatchObject({
    problems: [expect.stringContaining('API_TOKEN_FILE names a file that cannot be read')],
  })
  expect((await ask(BOB))[0]).toBe(200)
  writeFileSync(file('tokens'), `carol ${CAROL}\n`)
  await reloaded(1)
  expect([(await ask(BOB))[0], (await ask(CAROL))[0]]).toEqual([401, 200])
})

test('a token is revoked also while the configuration file, or the file of the key, is bad', async () => {
  folder = mkdtempSync(join(tmpdir(), 'nexcode-config-'))
  const path = join(folder, 'nexcode.yaml')
  const config = folder
  writeFileSync(path, 'params: [{ drop: [user] }]')
  const { file, ask, refused, reloaded, counts } = await start({ NEXCODE_CONFIG: path })
  writeFileSync(path, 'params: [{ drop: ')
  await refused(1)
  writeFileSync(file('key'), '')
  await refused(2)
  writeFileSync(file('tokens'), `alice ${ALICE}\n`)
  expect(await reloaded(1)).toMatchObject({ tokens_removed: ['bob'], rules: 1 })
  expect([(await ask(BOB))[0], (await ask(ALICE))[0]]).toEqual([401, 200])
  expect(await ask(ALICE)).toEqual([200, 'Bearer sk-the-first-key'])
  expect(counts().reloaded).toBe(1)
  rmSync(config, { recursive: true, force: true })
})

test.each(['', ' \n\t\n', '# all of it is gone\n  # and this\n', '---\n'])(
  'a configuration file that is empty at a reload (%j) is refused: no cap vanishes for a moment',
  async (text) => {
    folder = mkdtempSync(join(tmpdir(), 'nexcode-config-'))
    const path = join(folder, 'nexcode.yaml')
    const config = folder
    writeFileSync(
      path,
      'unknown_models: refuse\nmodels: { smart: { targets: [{ upstream: up }] } }\nupstreams: { up: { base_url: http://127.0.0.1:1/v1 } }\n',
    )
    const { started, refused, counts, ask } = await start({ NEXCODE_CONFIG: path })
    writeFileSync(path, text)
    expect(await refused(1)).toMatchObject({ level: 50, problems: [expect.stringContaining(`${path} is empty`)] })
    const response = await fetch(`${started.url}/v1/models`, { headers: { authorization: `Bearer ${ALICE}` } })
    expect(await response.json()).toMatchObject({ data: [{ id: 'smart' }] })
    expect(counts().reloaded).toBe(0)
    // What says so in as many words is taken over.
    writeFileSync(path, '{}')
    await started.line(({ msg }) => String(msg).startsWith('configuration reloaded'))
    expect((await ask(ALICE))[0]).toBe(200)
    rmSync(config, { recursive: true, force: true })
  },
)

test('with WORKERS=2 a revoked token is out of all of them, also of one that is started later', async () => {
  const { started, file, ask, reloaded } = await start({ WORKERS: '2' })
  for (let n = 0; n < 20; n += 1) expect((await ask(BOB))[0]).toBe(200)
  writeFileSync(file('tokens'), `alice ${ALICE}\n`)
  await reloaded(1)
  const since = performance.now()
  for (let refusals = 0; refusals < 20; ) {
    refusals = (await ask(BOB))[0] === 401 ? refusals + 1 : 0
    if (performance.now() - since > REVOKED_MS_MAX) throw new Error('not revoked')
  }
  expect((await ask(ALICE))[0]).toBe(200)
  expect(started.child?.exitCode).toBeNull()
})

test('what came through a pipe is not read again: it stays in force, while the rest is read', async () => {
  const { file, started } = await start()
  await started.stop()
  const script = 'exec "$@" --config <(printf "debug_headers: true") '
  const env = { OPENAI_API_BASE: `${upstream.url}/v1`, REQUIRE_AUTH: 'true', API_TOKEN_FILE: file('tokens') }
  const again = await startGateway({ env, command: ['bash', '-c', script, 'bash', ...gatewayCommand()] })
  gateway = again
  const ask = async (token: string) =>
    fetch(`${again.url}/v1/models`, { headers: { authorization: `Bearer ${token}` } })
  expect((await ask(ALICE)).headers.get('x-nexcode-principal')).toBe('alice')
  writeFileSync(file('tokens'), `alice ${ALICE}\n`)
  const { reloaded, counts } = watchReloads(again)
  expect(await reloaded(1)).toMatchObject({
    read: [expect.stringContaining('tokens')],
    not_read: expect.arrayContaining([expect.stringMatching(/^\/(dev|proc)\//)]),
  })
  expect((await ask(BOB)).status).toBe(401)
  expect((await ask(ALICE)).headers.get('x-nexcode-principal')).toBe('alice')
  expect(counts()).toEqual({ reloaded: 1, refused: 0 })
})
