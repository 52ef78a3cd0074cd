import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Env, gatewayCommand } from '../helpers/gateway-under-test.ts'
import { type Reloads, watchReloads } from '../helpers/reloads.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { makeSelfSigned } from '../helpers/self-signed.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

let upstream: ScriptedUpstream
beforeAll(async () => {
  upstream = await startScriptedUpstream(async (request, connection) => {
    await request.body
    connection.json({ key: request.header('authorization') ?? null, tag: request.header('x-tag') ?? null })
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

/** A file whose upstream tells by a header which version of the file it was asked under. */
const tagged = (tag: string, upstreamFields: object = {}, others: object = {}): string =>
  JSON.stringify({
    upstreams: { up: { base_url: `${upstream.url}/v1`, headers: { 'x-tag': tag }, ...upstreamFields } },
    ...others,
  })

interface Started extends Reloads {
  readonly gateway: TestGateway
  readonly path: string
  /** What the upstream was told by a call through the gateway. */
  readonly ask: () => Promise<{ readonly key: string | null; readonly tag: string | null }>
}

function makeFolder(): string {
  folder = mkdtempSync(join(tmpdir(), 'nexcode-reload-'))
  return folder
}

async function start(path: string, env: Env = {}): Promise<Started> {
  const started = await startGateway({ env: { NEXCODE_CONFIG: path, ...env }, command: gatewayCommand() })
  gateway = started
  return {
    ...watchReloads(started),
    gateway: started,
    path,
    ask: async () => (await (await fetch(`${started.url}/v1/models`)).json()) as Awaited<ReturnType<Started['ask']>>,
  }
}

async function startWith(text: string, env: Env = {}): Promise<Started> {
  const path = join(makeFolder(), 'nexcode.yaml')
  writeFileSync(path, text)
  return start(path, env)
}

test('SIGHUP has the file read again: what it says holds for the next request, and the log says how much there is', async () => {
  const { path, ask, hangUp } = await startWith(tagged('one'))
  expect(await ask()).toMatchObject({ tag: 'one' })
  writeFileSync(
    path,
    tagged('two', {}, { params: [{ drop: ['user'] }], models: { m: { targets: [{ upstream: 'up' }] } } }),
  )
  expect(await hangUp()).toMatchObject({
    level: 30,
    msg: 'configuration reloaded (SIGHUP)',
    file: path,
    ...{ upstreams: 1, models: 1, rules: 1 },
  })
  const { url } = gateway ?? { url: '' }
  const body = '{"model":"m","user":"u","messages":[{"role":"user","content":"hi"}]}'
  await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const sent = upstream.requests.at(-1)
  expect(sent?.header('x-tag')).toBe('two')
  expect(new TextDecoder().decode(await sent?.body)).toBe(body.replace('"user":"u",', ''))
})

test('a change is noticed without a signal, and read once: written, replaced by rename, or by a swapped link', async () => {
  const volume = makeFolder()
  // As Kubernetes mounts a ConfigMap: nexcode.yaml → ..data/nexcode.yaml, and ..data → a folder that is replaced.
  const version = (name: string): void => {
    mkdirSync(join(volume, name))
    writeFileSync(join(volume, name, 'nexcode.yaml'), tagged(name))
    symlinkSync(name, join(volume, 'next'))
    renameSync(join(volume, 'next'), join(volume, '..data'))
  }
  version('v1')
  const path = join(volume, 'nexcode.yaml')
  symlinkSync('..data/nexcode.yaml', path)
  const { ask, reloaded, counts } = await start(path)
  expect(await ask()).toMatchObject({ tag: 'v1' })

  version('v2')
  expect(await reloaded(1)).toMatchObject({ msg: 'configuration reloaded (the file has changed)' })
  expect(await ask()).toMatchObject({ tag: 'v2' })

  writeFileSync(join(volume, 'v2', 'nexcode.yaml'), tagged('written'))
  await reloaded(2)
  expect(await ask()).toMatchObject({ tag: 'written' })

  writeFileSync(join(volume, 'other'), tagged('renamed'))
  renameSync(join(volume, 'other'), path)
  await reloaded(3)
  expect(await ask()).toMatchObject({ tag: 'renamed' })
  expect(counts()).toEqual({ reloaded: 3, refused: 0 })
})

test('a file that the configuration reads is watched too: api_key_file, tls_ca and what NAME_FILE names for a variable', async () => {
  const pair = makeSelfSigned()
  const path = join(makeFolder(), 'nexcode.yaml')
  const [keys, ca, secret] = [join(folder, 'keys'), join(folder, 'ca.pem'), join(folder, 'secret')]
  writeFileSync(keys, 'sk-first-of-the-file')
  writeFileSync(ca, pair.cert)
  writeFileSync(secret, 'first')
  writeFileSync(path, tagged(`$\{TAG}`, { api_key_file: 'keys', tls_ca: 'ca.pem' }))
  const { ask, reloaded, refused } = await start(path, { TAG_FILE: secret })
  expect(await ask()).toEqual({ key: 'Bearer sk-first-of-the-file', tag: 'first' })
  writeFileSync(keys, 'sk-second-of-the-file\n')
  await reloaded(1)
  expect(await ask()).toEqual({ key: 'Bearer sk-second-of-the-file', tag: 'first' })
  writeFileSync(secret, 'second\n')
  await reloaded(2)
  expect(await ask()).toMatchObject({ tag: 'second' })
  writeFileSync(ca, 'no certificate')
  expect(await refused(1)).toMatchObject({
    problems: [expect.stringMatching(/nexcode\.yaml:1:\d+ upstreams\.up\.tls_ca /)],
  })
  pair.remove()
})

test('a bad file changes nothing: the log says why, with positions and without a secret, once; the cure is taken over', async () => {
  const { path, ask, hangUp, reloaded, refused, counts } = await startWith(tagged('good'))
  const bad = `upstreams:\n  up: { base_url: "${upstream.url}/v1", api_key: "sk-canary 0123456789" }\n  up2: { base_url: "https://up.example/v1", retry: 3 }\n`
  writeFileSync(path, bad)
  const line = await hangUp()
  expect(line).toMatchObject({ level: 50, file: path, msg: 'configuration not reloaded (SIGHUP): the old one goes on' })
  expect(line['problems']).toEqual([
    expect.stringMatching(/nexcode\.yaml:2:\d+ upstreams\.up\.api_key /),
    expect.stringMatching(/nexcode\.yaml:3:\d+ upstreams\.up2\.retry is not known here/),
  ])
  expect(JSON.stringify(line)).not.toContain('canary')
  expect(await ask()).toMatchObject({ tag: 'good' })

  writeFileSync(path, '{')
  expect(await refused(2)).toMatchObject({ msg: expect.stringContaining('(the file has changed)') })
  expect(await ask()).toMatchObject({ tag: 'good' })
  writeFileSync(path, tagged('cured'))
  await reloaded(1)
  expect(await ask()).toMatchObject({ tag: 'cured' })
  expect(counts()).toEqual({ reloaded: 1, refused: 2 })
})

test('what cures a bad file may be one that it names', async () => {
  const { path, ask, hangUp, reloaded } = await startWith(tagged('old'))
  writeFileSync(path, tagged('new', { api_key_file: 'late' }))
  expect((await hangUp())['problems']).toEqual([expect.stringContaining('upstreams.up.api_key_file')])
  expect(await ask()).toEqual({ key: null, tag: 'old' })
  writeFileSync(join(folder, 'late'), 'sk-that-came-late')
  await reloaded(1)
  expect(await ask()).toEqual({ key: 'Bearer sk-that-came-late', tag: 'new' })
})

test('a file that is taken away changes nothing, and is read again when it is back', async () => {
  const { path, ask, reloaded, refused, counts } = await startWith(tagged('before'))
  unlinkSync(path)
  expect(await refused(1)).toMatchObject({
    problems: [`${path} cannot be read: there is no such file or folder (ENOENT).`],
  })
  expect(await ask()).toMatchObject({ tag: 'before' })
  writeFileSync(path, tagged('after'))
  await reloaded(1)
  expect(await ask()).toMatchObject({ tag: 'after' })
  expect(counts()).toEqual({ reloaded: 1, refused: 1 })
})
