import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { type ConfigFile, writeConfigFile } from '../helpers/config-file.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { watchReloads } from '../helpers/reloads.ts'
import { type Script, type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const RELOADS = 100
const CALLERS = 6
const EVENTS = 5

let upstream: ScriptedUpstream
const held = Promise.withResolvers<() => void>()
beforeAll(async () => {
  upstream = await startScriptedUpstream(answer)
})
afterAll(() => upstream.close())

let file: ConfigFile | undefined
let gateway: TestGateway | undefined
afterEach(async () => {
  await gateway?.stop()
  file?.remove()
})

/** A whole answer, a stream of a few events, or one that goes on until the test says so. */
const answer: Script = async (request, connection) => {
  const { stream, user } = JSON.parse(new TextDecoder().decode(await request.body)) as {
    stream?: boolean
    user?: string
  }
  const by = request.header('x-version') ?? ''
  if (stream !== true) return connection.json({ by })
  connection.startChunked(200, { 'content-type': 'text/event-stream' })
  connection.chunk(`data: {"by":"${by}"}\n\n`)
  const end = (): void => {
    connection.chunk('data: [DONE]\n\n')
    connection.endChunks()
  }
  if (user === 'held') return held.resolve(end)
  for (let n = 1; n < EVENTS; n += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    connection.chunk(`data: {"n":${n}}\n\n`)
  }
  end()
}

/** Versions that differ in everything but what the callers ask for: the upstream's name, its key, the models, the rules. */
function version(n: number): string {
  const name = `up-${n % 3}`
  return JSON.stringify({
    upstreams: {
      [name]: {
        base_url: `${upstream.url}/v1`,
        api_key: `sk-key-of-version-${n}`,
        headers: { 'x-version': String(n) },
        ...(n % 2 === 0 && { concurrency: { max: 100 } }),
      },
    },
    models: {
      smart: { targets: [{ upstream: name, model: `model-${n}` }] },
      [`only-${n}`]: { targets: [{ upstream: name }] },
    },
    params: Array.from({ length: n % 4 }, () => ({ clamp: { max_tokens: { max: 100 + n } } })),
  })
}

function post(url: string, fields: object): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'smart', max_tokens: 5000, messages: [{ role: 'user', content: 'hi' }], ...fields }),
  })
}

test(`${RELOADS} reloads under load: no request fails, no stream is cut, and one that outlives them all is whole`, async () => {
  file = writeConfigFile(version(0))
  gateway = await startGateway({ env: { NEXCODE_CONFIG: file.path, LOG_LEVEL: 'info' }, command: gatewayCommand() })
  const { url } = gateway
  const { hangUp, counts } = watchReloads(gateway)
  const longest = await post(url, { stream: true, user: 'held' })
  const endLongest = await held.promise

  let isOver = false
  const seen = new Set<string>()
  const failures: string[] = []
  let calls = 0
  const call = async (stream: boolean): Promise<void> => {
    const response = await post(url, { stream })
    const text = await response.text()
    const isGood =
      response.status === 200 &&
      (!stream || (text.endsWith('data: [DONE]\n\n') && text.split('\n\n').length === EVENTS + 2))
    seen.add(/"by":"(\d+)"/.exec(text)?.[1] ?? 'none')
    calls += 1
    if (!isGood) failures.push(`${response.status} ${text}`)
  }
  const callers = Array.from({ length: CALLERS }, async (_one, n) => {
    while (!isOver) await call(n % 2 === 0)
  })
  for (let n = 1; n <= RELOADS; n += 1) {
    file.write(version(n))
    const line = await hangUp()
    if (line['level'] !== 30) failures.push(JSON.stringify(line))
    // Each version has to serve, at least once: more calls end than had begun before.
    const callsBefore = calls
    while (calls < callsBefore + 2 * CALLERS) await new Promise((resolve) => setImmediate(resolve))
  }
  isOver = true
  await Promise.all(callers)
  endLongest()
  expect(await longest.text()).toBe('data: {"by":"0"}\n\ndata: [DONE]\n\n')
  expect(failures).toEqual([])
  expect(counts().refused).toBe(0)
  expect(counts().reloaded).toBeGreaterThanOrEqual(RELOADS)
  expect(seen.size).toBeGreaterThanOrEqual(RELOADS)
  expect(seen).not.toContain('none')
})

test('what is known of a target survives a reload: its breaker stays open, and its calls under way are counted', async () => {
  upstream.play(async (request, connection) => {
    await request.body
    connection.json({ error: { message: 'no', type: 'server_error', param: null, code: null } }, 500)
  })
  const content = (rules: number) =>
    JSON.stringify({
      upstreams: { up: { base_url: `${upstream.url}/v1`, breaker: { failures: 2, open: '60s' } } },
      params: Array.from({ length: rules }, () => ({ drop: ['user'] })),
    })
  file = writeConfigFile(content(0))
  gateway = await startGateway({ env: { NEXCODE_CONFIG: file.path }, command: gatewayCommand() })
  const { url } = gateway
  const { hangUp } = watchReloads(gateway)
  const state = async () => (await (await fetch(`${url}/ready`)).json()) as { targets: { open_for_ms: number }[] }
  for (let n = 0; n < 2; n += 1) expect((await post(url, {})).status).toBe(500)
  const before = await state()
  expect(before).toMatchObject({ targets: [{ target: 'up', state: 'open', in_flight: 0 }] })
  file.write(content(1))
  expect(await hangUp()).toMatchObject({ rules: 1 })
  const after = await state()
  expect(after).toMatchObject({ targets: [{ target: 'up', state: 'open' }] })
  expect(after.targets[0]?.open_for_ms).toBeLessThanOrEqual(before.targets[0]?.open_for_ms ?? 0)

  const { promise: arrived, resolve } = Promise.withResolvers<() => void>()
  upstream.play((_request, connection) => resolve(() => connection.json({})))
  const waiting = post(url, {})
  const finish = await arrived
  file.write(content(2))
  await hangUp()
  expect(await state()).toMatchObject({ targets: [{ in_flight: 1 }] })
  finish()
  expect((await waiting).status).toBe(200)
  expect(await state()).toMatchObject({ targets: [{ in_flight: 0 }] })
})
