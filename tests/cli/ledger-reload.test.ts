import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLedger } from '../../src/ledger/open-ledger.ts'
import { writeConfigFile } from '../helpers/config-file.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { addKey, digestOfKey } from '../helpers/ledger-keys.ts'
import { runProgram } from '../helpers/run-program.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

setDefaultTimeout(60_000)

const ALICE = 'sk-of-alice-0123456789'
const BOB = 'sk-of-bob-0123456789'

const folder = mkdtempSync(join(tmpdir(), 'nexcode-ledger-'))
const store = `sqlite:${join(folder, 'ledger.sqlite')}`
let gateway: TestGateway<'openai'> | undefined

afterEach(async () => {
  await gateway?.stop()
  gateway = undefined
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
})

const projects = (keys: object) => ({ 'team-a': { spend_limit: { month: 50 }, keys } })

/** Asks on new connections until each of two workers has answered with a status. */
async function untilEach(status: number, key: string): Promise<void> {
  const workers = new Set<unknown>()
  for (let tried = 0; workers.size < 2; tried += 1) {
    const id = `ask-${crypto.randomUUID()}`
    const headers = { authorization: `Bearer ${key}`, connection: 'close', 'x-request-id': id }
    const answer = await fetch(`${gateway?.url}/v1/models`, { headers })
    await answer.body?.cancel()
    const line = await gateway?.line(({ request_id }) => request_id === id)
    if (answer.status === status) workers.add(line?.['worker'])
    if (tried === 2000) throw new Error(`still ${answer.status}`)
  }
}

test('keys of the file are let in by each worker, a reload revokes and adds, and a key of the ledger reaches all', async () => {
  gateway = await startGateway({
    upstreams: { openai: answerOk },
    settings: { openai: { api_key: 'sk-server' } },
    file: { ledger: { store }, projects: projects({ alice: { key: ALICE } }) },
    env: { REQUIRE_AUTH: 'true', API_TOKEN: 'a-token-of-16-chars', WORKERS: '2' },
    command: gatewayCommand(),
  })
  const ledger = await openLedger(store)
  await untilEach(200, ALICE)
  await untilEach(401, BOB)
  expect(await gateway.line(({ key }) => key === 'key_team-a.alice')).toMatchObject({ project: 'proj_team-a' })
  const upstreams = { openai: { base_url: `${gateway.upstreams.openai.url}/v1`, api_key: 'sk-server' } }
  gateway.file?.write(JSON.stringify({ upstreams, ledger: { store }, projects: projects({ bob: { key: BOB } }) }))
  await untilEach(200, BOB)
  await untilEach(401, ALICE)
  const made = await addKey(ledger, 'key_of_api')
  await untilEach(200, made)
  await ledger.close()
})

test('what a server with a ledger needs is told before it starts', async () => {
  const run = (env: Readonly<Record<string, string>>) =>
    runProgram(['check'], { OPENAI_API_BASE: 'http://127.0.0.1:9', ...env })
  const key = 'k'.repeat(32)
  expect((await run({ ADMIN_KEY: key })).stderr).toContain('ADMIN_KEY is set, and there is no ledger')
  expect((await run({ LEDGER: 'memory', WORKERS: '2' })).stderr).toContain(
    'LEDGER is memory, which WORKERS can not share',
  )
  expect((await run({ LIMITS: 'redis://127.0.0.1:1' })).stderr).toContain('LIMITS is set, and there is no ledger')
  expect((await run({ REQUIRE_AUTH: 'true' })).stderr).toContain('is missing, though REQUIRE_AUTH is true')
  const file = writeConfigFile({ ledger: { store: 'memory' } })
  const ofFile = await run({ REQUIRE_AUTH: 'true', NEXCODE_CONFIG: file.path })
  file.remove()
  expect([ofFile.stderr, ofFile.stdout]).toEqual(['', expect.stringContaining('callers need a key of the ledger')])
  const good = await run({ LEDGER: 'memory', REQUIRE_AUTH: 'true', ADMIN_KEY: key })
  expect(good.stdout).toContain('callers need a key of the ledger')
  expect(good.stdout).toContain('ledger    memory; managed by /v1/organization')
  expect(good.stderr + good.stdout).not.toContain(key)
})

for (const workers of ['1', '2']) {
  test(`a key that the file has twice, once as its digest, ends the start, and a reload is refused, with ${workers} of WORKERS`, async () => {
    const twice = projects({ alice: { key: ALICE }, again: { sha256: digestOfKey(ALICE) } })
    const file = { ledger: { store }, projects: projects({ alice: { key: ALICE } }) }
    gateway = await startGateway({
      upstreams: { openai: answerOk },
      settings: { openai: { api_key: 'sk-server' } },
      file,
      env: { REQUIRE_AUTH: 'true', API_TOKEN: 'a-token-of-16-chars', WORKERS: workers },
      command: gatewayCommand(),
    })
    const upstreams = { openai: { base_url: `${gateway.upstreams.openai.url}/v1`, api_key: 'sk-server' } }
    gateway.file?.write(`${JSON.stringify({ upstreams, ...file, projects: twice })}\n`)
    const refused = await gateway.line(({ msg }) => String(msg).startsWith('configuration not reloaded'))
    expect(JSON.stringify(refused)).toContain('key_team-a.alice and key_team-a.again have the same digest')
    expect(refused).not.toHaveProperty('worker')
    const { code, stderr } = await runProgram(['serve'], { PORT: '0', NEXCODE_CONFIG: gateway.file?.path ?? '' })
    expect([code, stderr]).toEqual([2, expect.stringContaining('gets one key twice from the file')])
  })
}

test('the key that manages is read again from its file', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'nexcode-ledger-')), 'admin-key')
  const [before, after] = ['the-first-key-that-manages-012345', 'another-key-that-manages-0123456789']
  writeFileSync(file, before)
  const started = await startGateway({
    upstreams: { openai: answerOk },
    env: { LEDGER: 'memory', ADMIN_KEY_FILE: file },
    command: gatewayCommand(),
  })
  gateway = started
  const ask = async (key: string): Promise<number> => {
    const headers = { authorization: `Bearer ${key}` }
    const answer = await fetch(`${started.url}/v1/organization/projects`, { headers })
    await answer.body?.cancel()
    return answer.status
  }
  expect([await ask(before), await ask(after)]).toEqual([200, 401])
  writeFileSync(file, after)
  await gateway.line(({ msg }) => String(msg).startsWith('configuration reloaded'))
  expect([await ask(before), await ask(after)]).toEqual([401, 200])
})

test('a ledger that is no ledger ends the start, and nothing of it is changed', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'nexcode-ledger-')), 'text.sqlite')
  writeFileSync(file, 'this is no database, but a text of somebody else')
  const { code, stderr } = await runProgram(['serve'], {
    OPENAI_API_BASE: 'http://127.0.0.1:9',
    PORT: '0',
    LEDGER: `sqlite:${file}`,
  })
  expect([code, stderr]).toEqual([2, expect.stringContaining('The ledger (LEDGER, or ledger.store)')])
  expect(await Bun.file(file).text()).toContain('somebody else')
})
