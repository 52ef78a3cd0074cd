import { expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { getText, openRawClient, sendRaw } from '../helpers/raw-client.ts'
import { statusAndCode } from '../helpers/received-answers.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const KEY = 'sk-canary-of-the-server-0123456789'
const HANDSHAKE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
}
const switchOver: Script = (_request, connection) =>
  connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')

/** Opens a WebSocket, and gives the first line of the answer. */
async function open(port: number, target: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const client = await openRawClient(port)
  client.write(getText(target, { ...HANDSHAKE, ...headers }))
  const received = await client.until((bytes) => bytes.includes('\r\n\r\n'))
  client.leave()
  return received.toString('latin1').slice(0, 12)
}

test('an alias in the query becomes the upstream’s name, and no other byte of it changes', async () => {
  const gateway = await start({
    upstreams: { first: answerOk, second: switchOver },
    file: {
      models: {
        voice: { targets: [{ upstream: 'second', model: 'gpt-realtime/1 &x' }] },
        'rt-*': { targets: [{ upstream: 'second', model: 'gpt-*' }] },
      },
    },
  })
  for (const [query, expected] of [
    ['?model=voice', '?model=gpt-realtime%2F1%20%26x'],
    ["?a='%2f'&model=v%6Fice&b={1}", "?a='%2f'&model=gpt-realtime%2F1%20%26x&b={1}"],
    ['?model=rt-realtime&voice=voice', '?model=gpt-realtime&voice=voice'],
  ] as const) {
    expect(await open(gateway.port, `/v1/realtime${query}`)).toBe('HTTP/1.1 101')
    expect(lastRequest(gateway.upstreams.second).target).toBe(`/v1/realtime${expected}`)
  }
  expect(gateway.upstreams.first.requests).toHaveLength(0)
})

test('a WebSocket without a model, or with an unknown one, goes to the default upstream as it came', async () => {
  const gateway = await start({
    upstreams: { first: answerOk, second: switchOver },
    file: { default_upstream: 'second', models: { voice: { targets: [{ upstream: 'first' }] } } },
  })
  for (const query of ['', '?x=voice', '?model=other', '?xmodel=voice']) {
    expect(await open(gateway.port, `/v1/realtime${query}`)).toBe('HTTP/1.1 101')
    expect(lastRequest(gateway.upstreams.second).target).toBe(`/v1/realtime${query}`)
  }
})

test('an upstream’s own first_byte holds for the answer to an upgrade, too: 504', async () => {
  const silent: Script = () => undefined
  const gateway = await start({
    upstreams: { only: silent },
    settings: { only: { timeouts: { first_byte: 50 } } },
    env: { FIRST_BYTE_TIMEOUT_MS: '3600000' },
  })
  expect(await open(gateway.port, '/v1/realtime?model=any')).toBe('HTTP/1.1 504')
})

test('unknown_models: refuse answers OpenAI’s 404 before the 101', async () => {
  const gateway = await start({ upstreams: { only: switchOver }, file: { unknown_models: 'refuse' } })
  const refused = await sendRaw(gateway.port, getText('/v1/realtime?model=other', HANDSHAKE))
  expect(statusAndCode(refused)).toBe('404 model_not_found')
  // Where the URL does not tell the model, nobody could refuse it.
  for (const target of ['/v1/realtime', '/v1/realtime?intent=transcription']) {
    const unknown = await sendRaw(gateway.port, getText(target, HANDSHAKE))
    expect(statusAndCode(unknown)).toBe('400 rules_not_applicable')
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('the upstream’s key is spent in its header, and lent to nobody on a server that others can reach', async () => {
  const more = { settings: { only: { api_key: KEY, key_header: 'api-key', query: { 'api-version': '1' } } } }
  const lent = await start({ upstreams: { only: switchOver }, ...more })
  const mine = {
    Authorization: 'Bearer sk-mine',
    'Sec-WebSocket-Protocol': 'realtime, openai-insecure-api-key.sk-mine',
  }
  expect(await open(lent.port, '/v1/realtime?model=m', mine)).toBe('HTTP/1.1 101')
  const request = lastRequest(lent.upstreams.only)
  expect(request.target).toBe('/v1/realtime?model=m&api-version=1')
  expect(request.header('api-key')).toBe(KEY)
  expect(JSON.stringify(request.headerLines)).not.toContain('sk-mine')
  const far = await start({ upstreams: { only: switchOver }, ...more, env: { HOST: '0.0.0.0' } })
  const refused = await sendRaw(far.port, getText('/v1/realtime', { ...HANDSHAKE, ...mine }))
  expect(statusAndCode(refused)).toBe('401 invalid_api_key')
  expect(far.upstreams.only.requests).toHaveLength(0)
})

test('a refusal of the upstream’s that echoes its key is masked', async () => {
  const echo: Script = (request, connection) =>
    connection.json({ error: { message: `no ${request.header('authorization')}` } }, 403)
  const gateway = await start({ upstreams: { only: echo }, settings: { only: { api_key: KEY } } })
  const refused = await sendRaw(gateway.port, getText('/v1/realtime', HANDSHAKE))
  expect([refused.status, refused.text().includes('canary')]).toEqual([403, false])
})

const refuseKeys =
  (...keys: readonly string[]): Script =>
  async (request, connection) => {
    const isBad = keys.some((key) => request.header('authorization') === `Bearer ${key}`)
    if (!isBad) return switchOver(request, connection)
    connection.json({ error: { message: `Incorrect API key provided: sk-…`, code: 'invalid_api_key' } }, 401)
  }

test('an upgrade under a refused key of the server’s goes to another key, and the refused one rests', async () => {
  const gateway = await start({
    upstreams: { first: refuseKeys('sk-bad') },
    settings: { first: { api_keys: ['sk-bad', KEY] } },
    file: {},
  })
  for (let call = 0; call < 3; call += 1) expect(await open(gateway.port, '/v1/realtime?model=m')).toBe('HTTP/1.1 101')
  expect(gateway.upstreams.first.requests).toHaveLength(4)
  const warning = await gateway.line(({ rests_ms: rests }) => rests !== undefined)
  expect(warning).toMatchObject({ upstream: 'first', key: 'api_keys[0]', status: 401 })
})

test('an upgrade under the last key, refused, is a 502 of ours, with a file and without', async () => {
  for (const isAlone of [false, true]) {
    const gateway = await start({
      upstreams: { first: refuseKeys(KEY) },
      ...(!isAlone && { settings: { first: { api_key: KEY } } }),
      file: {},
    })
    const own = isAlone
      ? await startGateway({ env: { OPENAI_API_BASE: `${gateway.upstreams.first.url}/v1`, OPENAI_API_KEY: KEY } })
      : gateway
    const refused = await sendRaw(own.port, getText('/v1/realtime?model=m', HANDSHAKE))
    expect(statusAndCode(refused)).toBe('502 upstream_key_refused')
    expect(await own.exchange(1)).toMatchObject({ status: 502, error: 'upstream_key_refused', attempts: 1 })
    await own.stop()
  }
})

test('a breaker that is half open is closed by a WebSocket’s beginning, and not by its end', async () => {
  const gateway = await start({
    upstreams: { first: (_request, connection) => connection.json({ error: {} }, 500) },
    settings: { first: { breaker: { failures: 1, open: 30, open_max: 30 } } },
    file: { all_open: 'refuse' },
  })
  expect((await sendRaw(gateway.port, getText('/v1/realtime?model=m', HANDSHAKE))).status).toBe(500)
  gateway.upstreams.first.play(switchOver)
  await Bun.sleep(60)
  const session = await openRawClient(gateway.port)
  session.write(getText('/v1/realtime?model=m', HANDSHAKE))
  await session.until((bytes) => bytes.includes('\r\n\r\n'))
  expect(await open(gateway.port, '/v1/realtime?model=m')).toBe('HTTP/1.1 101')
  session.leave()
})
