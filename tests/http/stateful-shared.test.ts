import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConfigFile, writeConfigFile } from '../helpers/config-file.ts'
import { type Env, gatewayCommand } from '../helpers/gateway-under-test.ts'
import { getText, postText, sendRaw } from '../helpers/raw-client.ts'
import { REDIS_MISSING, startRedis } from '../helpers/redis.ts'
import { watchReloads } from '../helpers/reloads.ts'
import { type Script, type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

const KEYS = ['sk-a1-0123456789abcdef', 'sk-a2-0123456789abcdef'] as const
const TOKEN = 'token-0123456789abcdef'
const AUTH = { Authorization: `Bearer ${TOKEN}` }

/** An upstream that makes files, each known to the key that made it only. */
function filesByKey(): Script {
  const made = new Map<string, string | undefined>()
  return async (request, connection) => {
    await request.body
    const key = request.header('authorization')
    if (request.method === 'POST') {
      const id = `file-${String(made.size).padStart(8, '0')}`
      made.set(id, key)
      return connection.json({ id })
    }
    const holder = made.get(request.target.split('/')[3] ?? '')
    return connection.json({ isKnown: holder === key }, holder === key ? 200 : 404)
  }
}

async function startUpstream(): Promise<ScriptedUpstream> {
  const upstream = await startScriptedUpstream(filesByKey())
  cleanUps.push(() => upstream.close())
  return upstream
}

function writeFile(upstream: ScriptedUpstream, keys: readonly string[] = KEYS): ConfigFile {
  const file = writeConfigFile({ upstreams: { a: { base_url: `${upstream.url}/v1`, api_keys: keys } } })
  cleanUps.push(() => file.remove())
  return file
}

async function startWith(file: ConfigFile, env: Env): Promise<TestGateway> {
  const gateway = await startGateway({
    env: {
      NEXCODE_CONFIG: file.path,
      REQUIRE_AUTH: 'true',
      API_TOKEN: TOKEN,
      ...env,
    },
    command: gatewayCommand(),
  })
  cleanUps.push(() => gateway.stop())
  return gateway
}

async function make({ port }: TestGateway): Promise<string> {
  const answer = await sendRaw(port, postText('/v1/files', '{}', AUTH))
  return (answer.json() as { readonly id: string }).id
}

async function statusesOf({ port }: TestGateway, ids: readonly string[]): Promise<number[]> {
  const answers = ids.map((id) => sendRaw(port, getText(`/v1/files/${id}`, AUTH)))
  return (await Promise.all(answers)).map(({ status }) => status)
}

function makeStorePath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-objects-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  return `sqlite:${join(folder, 'cache.db')}`
}

const ALL_FOUND = [200, 200, 200, 200, 200, 200]

async function makeSix(gateway: TestGateway): Promise<string[]> {
  const ids: string[] = []
  for (let count = 0; count < 6; count += 1) ids.push(await make(gateway))
  return ids
}

test('objects are found after a restart, and where the keys of the pool stand in another order', async () => {
  const upstream = await startUpstream()
  const CACHE = makeStorePath()
  const before = await startWith(writeFile(upstream), { CACHE })
  const ids = await makeSix(before)
  await before.stop()
  const after = await startWith(writeFile(upstream, KEYS.toReversed()), { CACHE })
  expect(await statusesOf(after, ids)).toEqual(ALL_FOUND)
})

test('objects are found after a reload that puts the keys into another order, and takes one away', async () => {
  const upstream = await startUpstream()
  const file = writeFile(upstream)
  const gateway = await startWith(file, {})
  const ids = await makeSix(gateway)
  const reloads = watchReloads(gateway)
  const reload = async (keys: readonly string[]): Promise<void> => {
    file.write(JSON.stringify({ upstreams: { a: { base_url: `${upstream.url}/v1`, api_keys: keys } } }))
    expect(String((await reloads.hangUp())['msg'])).toStartWith('configuration reloaded')
  }
  await reload(KEYS.toReversed())
  expect(await statusesOf(gateway, ids)).toEqual(ALL_FOUND)
  await reload([KEYS[1]])
  // What the other key has made is asked for with the one that is there.
  expect((await statusesOf(gateway, ids)).toSorted()).toEqual([200, 200, 200, 404, 404, 404])
})

test('objects are found by each of several processes', async () => {
  const gateway = await startWith(writeFile(await startUpstream()), { CACHE: makeStorePath(), WORKERS: '2' })
  const ids = [...(await makeSix(gateway)), ...(await makeSix(gateway))]
  // The system deals connections out among the processes.
  for (let turn = 0; turn < 3; turn += 1) expect(await statusesOf(gateway, ids)).toEqual([...ALL_FOUND, ...ALL_FOUND])
})

test.skipIf(REDIS_MISSING !== undefined)(
  `objects are found by each of several nodes as soon as the answer is there, and a store that stands still holds nobody up ${REDIS_MISSING ?? ''}`,
  async () => {
    const redis = await startRedis()
    cleanUps.push(() => redis.kill())
    const upstream = await startUpstream()
    const nodes = [
      await startWith(writeFile(upstream), { CACHE: redis.url }),
      await startWith(writeFile(upstream), { CACHE: redis.url }),
    ] as const
    const ids: string[] = []
    for (let count = 0; count < 6; count += 1) {
      const id = await make(nodes[0])
      ids.push(id)
      expect(await statusesOf(nodes[1], [id])).toEqual([200])
    }
    redis.pause()
    expect(await statusesOf(nodes[0], ids)).toEqual(ALL_FOUND)
    expect(await statusesOf(nodes[0], [await make(nodes[0])])).toEqual([200])
    redis.resume()
  },
)

test('without a store that is shared, a process remembers for itself', async () => {
  const gateway = await startWith(writeFile(await startUpstream()), { CACHE: 'memory' })
  expect(await statusesOf(gateway, await makeSix(gateway))).toEqual(ALL_FOUND)
})
