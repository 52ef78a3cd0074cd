import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { type ConfigFile, writeConfigFile } from '../helpers/config-file.ts'
import { freePort } from '../helpers/free-port.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { getText, openRawClient, postText, type RawResponse, sendRaw } from '../helpers/raw-client.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { type GatewayOptions, startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const CHAT = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'round and round' }] })
const KEY = { Authorization: 'Bearer sk-callers-own' }

let gateways: TestGateway[] = []
const files: ConfigFile[] = []

afterEach(async () => {
  await Promise.all(gateways.map((one) => one.stop()))
  gateways = []
  for (const file of files.splice(0)) file.remove()
})

/** Starts gateways of which each is the next one's upstream, and the first the last one's. */
async function startLoop(count: number, { env, ...options }: GatewayOptions = {}): Promise<readonly TestGateway[]> {
  const ports = await Promise.all(Array.from({ length: count }, freePort))
  for (const [at, port] of ports.entries()) {
    const next = ports[(at + 1) % count]
    const own = { PORT: String(port), OPENAI_API_BASE: `http://127.0.0.1:${next}/v1`, ...env }
    gateways.push(await startGateway({ ...options, env: own }))
  }
  return gateways
}

const post = ({ port }: TestGateway, headers: Readonly<Record<string, string>> = KEY): Promise<RawResponse> =>
  sendRaw(port, postText('/v1/chat/completions', CHAT, headers))

function exchangesOf(all: readonly TestGateway[]): number {
  return all.flatMap(({ lines }) => lines.filter(({ msg }) => msg === 'exchange')).length
}

test('a chat that two gateways send to each other ends as a 508 at its third turn, and no SDK asks again', async () => {
  const loop = await startLoop(2)
  const answer = await post(loop[0] as TestGateway)
  expect([answer.status, answer.json()]).toMatchObject([508, { error: { code: 'loop_detected', param: null } }])
  expect(answer.headers.get('x-should-retry')).toBe('false')
  await loop[0]?.line(({ error }) => error === 'loop_detected')
  expect(exchangesOf(loop)).toBeLessThanOrEqual(6)
})

test.each([
  ['a list', getText('/v1/models', KEY)],
  [
    'an upload of unknown length',
    `${getText('/v1/files', KEY).replace('GET', 'POST').trimEnd()}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
  ],
  ['a target that only the exact way can send', getText('/v1/prompts/{id}', KEY)],
] as const)('a loop of three gateways ends for %s, too', async (_what, bytes) => {
  const loop = await startLoop(3)
  expect((await sendRaw(loop[0]?.port ?? 0, bytes)).status).toBe(508)
  expect(exchangesOf(loop)).toBeLessThanOrEqual(9)
})

test('a WebSocket that goes round is refused with 508', async () => {
  const loop = await startLoop(2)
  const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', ...KEY }
  const client = await openRawClient(loop[0]?.port ?? 0)
  client.write(getText('/v1/realtime?model=m', { ...upgrade, 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' }))
  expect((await client.response()).status).toBe(508)
  client.leave()
})

test('where answers are kept or shared, a request that comes back does not wait for itself', async () => {
  const loop = await startLoop(2, { env: { CACHE: 'memory', CACHE_SCOPE_REQUESTS: 'all' } })
  expect((await post(loop[0] as TestGateway)).status).toBe(508)
  const answer = await post(loop[0] as TestGateway, { ...KEY, 'Idempotency-Key': 'once' })
  expect(answer.status).toBe(508)
})

test('a loop over the targets of files ends, and through several processes', async () => {
  const ports = [await freePort(), await freePort()]
  for (const [at, port] of ports.entries()) {
    const file = writeConfigFile({
      upstreams: { other: { base_url: `http://127.0.0.1:${ports[1 - at]}/v1`, auth: 'caller' } },
      models: { m: { targets: [{ upstream: 'other' }], retry: { attempts: 3 } } },
      params: [{ defaults: { temperature: 1 } }],
    })
    files.push(file)
    const env = { PORT: String(port), NEXCODE_CONFIG: file.path, ...(at === 1 && { WORKERS: '2' }) }
    gateways.push(await startGateway({ env, command: gatewayCommand() }))
  }
  expect((await post(gateways[0] as TestGateway)).status).toBe(508)
  expect(exchangesOf(gateways)).toBeLessThan(20)
})

test('a usual call has no mark, nor has the same call again; two equal ones at once have it where it may come back', async () => {
  const upstream = await startScriptedUpstream(async (request, connection) => {
    await request.body
    await both
    connection.json({})
  })
  let both: Promise<unknown> = Promise.resolve()
  gateways = [await startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1` } })]
  const [gateway] = gateways as [TestGateway]
  try {
    await post(gateway)
    await post(gateway)
    both = Promise.all([upstream.request(3), upstream.request(4)])
    await Promise.all([post(gateway), post(gateway, { ...KEY, 'CDN-Loop': 'other' })])
    const marks = upstream.requests.map((one) => one.header('cdn-loop'))
    expect(marks.slice(0, 2)).toEqual([undefined, undefined])
    expect(marks.slice(2).filter((mark) => mark?.includes('nexcode-') === true)).toHaveLength(1)
  } finally {
    await upstream.close()
  }
})

test('a request in chunks comes back in other packets, and is the same request', async () => {
  await using upstream = await startScriptedUpstream(async (request, connection) => {
    await request.body
    connection.json({})
  })
  gateways = [await startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1` } })]
  const [gateway] = gateways as [TestGateway]
  const head = getText('/v1/files', { ...KEY, 'Transfer-Encoding': 'chunked' }, 'POST')
  const [slow, fast] = [await openRawClient(gateway.port), await openRawClient(gateway.port)]
  slow.write(`${head}1\r\nx\r\n`)
  const first = await upstream.request(1)
  fast.write(`${head}1\r\nx\r\n0\r\n\r\n`)
  const second = await upstream.request(2)
  slow.write('0\r\n\r\n')
  expect([(await slow.response()).status, (await fast.response()).status]).toEqual([200, 200])
  expect([first.header('cdn-loop'), second.header('cdn-loop')]).toEqual([
    undefined,
    expect.stringContaining('nexcode-'),
  ])
  slow.leave()
  fast.leave()
})
