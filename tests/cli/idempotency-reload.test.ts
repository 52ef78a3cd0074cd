import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { REDIS_MISSING, startRedis } from '../helpers/redis.ts'
import { watchReloads } from '../helpers/reloads.ts'
import { startScriptedUpstream, type UpstreamConnection } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** What a file says of everything that a reload can change; `url`: the only upstream. */
type Contents = (url: string, folder: string) => object

const upstream = (url: string, more: object = {}): object => ({
  up: { base_url: `${url}/v1`, api_key: 'sk-1', ...more },
})

const CHANGES: readonly (readonly [string, Contents, Contents])[] = [
  [
    'a time of the cache',
    (url) => ({ upstreams: upstream(url), cache: { store: 'memory', ttl: '1h' } }),
    (url) => ({ upstreams: upstream(url), cache: { store: 'memory', ttl: '2h' } }),
  ],
  [
    'the store, from memory to a file',
    (url) => ({ upstreams: upstream(url), cache: { store: 'memory' } }),
    (url, folder) => ({ upstreams: upstream(url), cache: { store: `sqlite:${folder}/a.db` } }),
  ],
  [
    'the store, from a file to another one',
    (url, folder) => ({ upstreams: upstream(url), cache: { store: `sqlite:${folder}/a.db` } }),
    (url, folder) => ({ upstreams: upstream(url), cache: { store: `sqlite:${folder}/b.db` } }),
  ],
  [
    'the store, from a file to none',
    (url, folder) => ({ upstreams: upstream(url), cache: { store: `sqlite:${folder}/a.db` } }),
    (url) => ({ upstreams: upstream(url) }),
  ],
  [
    'the window',
    (url) => ({ upstreams: upstream(url), idempotency_window: '10m' }),
    (url) => ({ upstreams: upstream(url), idempotency_window: '20m' }),
  ],
  [
    'the upstream’s name, key and headers',
    (url) => ({ upstreams: upstream(url) }),
    (url) => ({ upstreams: { other: { base_url: `${url}/v1`, api_key: 'sk-2', headers: { 'x-other': '1' } } } }),
  ],
  [
    'the rules',
    (url) => ({ upstreams: upstream(url) }),
    (url) => ({ upstreams: upstream(url), params: [{ override: { temperature: 0.5 } }] }),
  ],
]

async function startWith(before: Contents) {
  const arrived: UpstreamConnection[] = []
  const arrival = Promise.withResolvers<UpstreamConnection>()
  const scripted = await startScriptedUpstream(async (request, connection) => {
    await request.body
    arrived.push(connection)
    arrival.resolve(connection)
  })
  cleanUps.push(() => scripted.close())
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-once-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'nexcode.yaml')
  writeFileSync(path, JSON.stringify(before(scripted.url, folder)))
  const gateway = await startGateway({ env: { NEXCODE_CONFIG: path }, command: gatewayCommand() })
  cleanUps.push(() => gateway.stop())
  const reloads = watchReloads(gateway)
  return {
    arrived,
    arrival: arrival.promise,
    ask: async () => {
      const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': 'once' },
        body: JSON.stringify({ model: 'm', messages: MESSAGES }),
      })
      return `${answer.status} ${await answer.text()}`
    },
    async change(after: Contents) {
      writeFileSync(`${path}.new`, JSON.stringify(after(scripted.url, folder)))
      renameSync(`${path}.new`, path)
      await reloads.hangUp()
    },
  }
}

const ANSWER = { id: 'chatcmpl-1', object: 'chat.completion', choices: [] }

test.each(CHANGES)(
  'a reload that changes %s makes no second call: in mid-flight, nor behind it',
  async (_what, before, after) => {
    const { arrived, arrival, ask, change } = await startWith(before)
    const first = ask()
    const connection = await arrival
    await change(after)
    const second = ask()
    await Bun.sleep(100)
    connection.json(ANSWER)
    const wanted = `200 ${JSON.stringify(ANSWER)}`
    expect(await Promise.all([first, second])).toEqual([wanted, wanted])
    expect(await ask()).toBe(wanted)
    await change(before)
    expect(await ask()).toBe(wanted)
    expect(arrived).toHaveLength(1)
  },
)

test.skipIf(REDIS_MISSING !== undefined)(
  'a reload away from a Redis that has died makes no second call of what this process has asked',
  async () => {
    const redis = await startRedis()
    cleanUps.push(() => redis.kill())
    const { arrived, arrival, ask, change } = await startWith((url) => ({
      upstreams: upstream(url),
      cache: { store: redis.url },
    }))
    const first = ask()
    const connection = await arrival
    await redis.kill()
    await change((url) => ({ upstreams: upstream(url), cache: { store: 'memory' } }))
    const second = ask()
    connection.json(ANSWER)
    expect([(await first).slice(0, 3), (await second).slice(0, 3)]).toEqual(['200', '200'])
    expect(arrived).toHaveLength(1)
  },
)
