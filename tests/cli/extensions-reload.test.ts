import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { extensionFiles } from '../helpers/extension-files.ts'
import { type Env, gatewayCommand } from '../helpers/gateway-under-test.ts'
import { getText } from '../helpers/raw-client.ts'
import { watchReloads } from '../helpers/reloads.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { connectToEach } from '../helpers/workers.ts'

setDefaultTimeout(60_000)

const { write, writeText } = extensionFiles()

let upstream: ScriptedUpstream
beforeAll(async () => {
  upstream = await startScriptedUpstream((request, connection) => connection.json({ tag: request.header('x-tag') }))
})
afterAll(() => upstream.close())

let gateway: TestGateway | undefined
afterEach(() => gateway?.stop())

/** Starts a gateway with an extension that sends on the tag which `part.ts` beside it says. */
async function start(env: Env = {}): Promise<TestGateway> {
  const name = `tagging-${crypto.randomUUID().slice(0, 8)}`
  const path = write(name, "request.headers.set('x-tag', tag); return next(request)", "import { tag } from './part'")
  gateway = await startGateway({
    env: { OPENAI_API_BASE: `${upstream.url}/v1`, EXTENSIONS: path, ...env },
    command: gatewayCommand(),
  })
  return gateway
}

const part = (tag: string): string => writeText('part.ts', `export const tag: string = '${tag}'\n`)

async function tagOf({ url }: TestGateway): Promise<unknown> {
  const answer = await fetch(`${url}/v1/files`, { headers: { authorization: 'Bearer sk-mine' } })
  return answer.status === 200 ? ((await answer.json()) as { tag: unknown }).tag : answer.status
}

test('a change of a file that it imports has it loaded anew; a mistake leaves the old one in force, and is told', async () => {
  part('one')
  const started = await start()
  const { reloaded, refused } = watchReloads(started)
  expect(await tagOf(started)).toBe('one')
  part('two')
  expect(await reloaded(1)).toMatchObject({ msg: 'configuration reloaded (the file has changed)' })
  expect(await tagOf(started)).toBe('two')
  const path = writeText('part.ts', 'export const tag: = 1\n')
  const told = await refused(1)
  expect(told).toMatchObject({ level: 50, msg: expect.stringContaining('the old one goes on') })
  expect(String(told['problems'])).toContain(`${path}:1:`)
  expect(await tagOf(started)).toBe('two')
  part('three')
  await reloaded(2)
  expect(await tagOf(started)).toBe('three')
})

test('20 reloads under load: no request fails, and each version serves', async () => {
  part('0')
  const started = await start()
  const { hangUp, counts } = watchReloads(started)
  const seen = new Set<unknown>()
  let isOver = false
  const callers = Array.from({ length: 4 }, async () => {
    while (!isOver) seen.add(await tagOf(started))
  })
  while (!seen.has('0')) await Bun.sleep(1)
  for (let n = 1; n <= 20; n += 1) {
    part(String(n))
    await hangUp()
    while (!seen.has(String(n))) await Bun.sleep(1)
  }
  isOver = true
  await Promise.all(callers)
  expect([...seen].toSorted()).toEqual(Array.from({ length: 21 }, (_one, n) => String(n)).toSorted())
  expect(counts().refused).toBe(0)
})

test('with WORKERS=2 both go by the new one; with a mistake neither does', async () => {
  part('one')
  const started = await start({ WORKERS: '2', LOG_LEVEL: 'debug' })
  const { hangUp } = watchReloads(started)
  const clients = await connectToEach(started)
  const tags = () =>
    Promise.all(
      [...clients.values()].map(async (client) => {
        const before = client.received().length
        client.write(getText('/v1/files', { Authorization: 'Bearer sk-mine' }))
        const received = await client.until((all) => /\{"tag":"[^"]*"\}/.test(all.subarray(before).toString()))
        return /\{"tag":"([^"]*)"\}/.exec(received.subarray(before).toString())?.[1]
      }),
    )
  expect(await tags()).toEqual(['one', 'one'])
  part('two')
  expect(await hangUp()).toMatchObject({ msg: 'configuration reloaded (SIGHUP)' })
  // The supervisor has told them by now; each hears it in its own time.
  while (String(await tags()) !== 'two,two');
  writeText('part.ts', "throw new Error('no such luck')\nexport const tag = 'three'\n")
  const told = await hangUp()
  expect(told).toMatchObject({ level: 50, msg: expect.stringContaining('not reloaded') })
  expect(String(told['problems'])).toContain('no such luck')
  expect(await tags()).toEqual(['two', 'two'])
  for (const client of clients.values()) client.leave()
})
