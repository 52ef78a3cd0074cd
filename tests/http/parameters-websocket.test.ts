import { expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { getText, openRawClient } from '../helpers/raw-client.ts'
import { refusalOf } from '../helpers/received-answers.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'

const start = perTest(startGateway)

const HANDSHAKE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
}
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
const switchOver: Script = (_request, connection) => connection.write(SWITCH)
const REFUSED = { status: 400, param: null, code: 'rules_not_applicable' }

function withRules(...params: readonly object[]) {
  return { upstreams: { only: switchOver }, file: { params } }
}

/** Opens a WebSocket, which has to be answered with a 101. */
async function open(port: number, target: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  const client = await openRawClient(port)
  client.write(getText(target, { ...HANDSHAKE, ...headers }))
  const received = await client.until((bytes) => bytes.includes('\r\n\r\n'))
  expect(received.toString('latin1')).toStartWith('HTTP/1.1 101 ')
  client.leave()
}

test('a rule that matches refuses a WebSocket before the 101, and nothing goes upstream', async () => {
  for (const match of [
    {},
    { endpoint: 'realtime' },
    { endpoint: 'realtime', model: 'gpt-*' },
    { principal: 'local' },
    { header: { 'x-team': '*' } },
  ]) {
    const gateway = await start(withRules({ match, clamp: { max_tokens: { max: 5 } } }))
    const bytes = getText('/v1/realtime?model=gpt-realtime', { ...HANDSHAKE, 'X-Team': 'red' })
    expect(await refusalOf(gateway.port, bytes)).toEqual(REFUSED)
    expect(gateway.upstreams.only.requests).toHaveLength(0)
  }
})

test('a WebSocket that no rule matches is relayed, its target as it came', async () => {
  const gateway = await start(
    withRules(
      { match: { endpoint: 'chat/completions' }, deny: ['user'] },
      { match: { model: 'smart' }, clamp: { max_tokens: { max: 5 } } },
      { match: { header: { 'x-team': 'red' } }, deny: ['user'] },
    ),
  )
  const target = '/v1/realtime?a=%2F&model=gpt-realtime'
  await open(gateway.port, target, { 'X-Team': 'blue' })
  expect(lastRequest(gateway.upstreams.only).target).toBe(target)
})

test('a rule for some models refuses a WebSocket that does not say which model it is for', async () => {
  const gateway = await start(withRules({ match: { model: 'smart' }, clamp: { max_tokens: { max: 5 } } }))
  expect(await refusalOf(gateway.port, getText('/v1/realtime?intent=transcription', HANDSHAKE))).toEqual(REFUSED)
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('a WebSocket whose model is written twice is refused where rules or models decide', async () => {
  for (const file of [
    { params: [{ match: { model: 'smart' }, deny: ['user'] }] },
    { models: { 'gpt-*': { targets: [{ upstream: 'only' }] } } },
  ]) {
    const gateway = await start({ upstreams: { only: switchOver }, file })
    for (const query of ['model=gpt-a&model=smart', 'model=gpt-a&mod%65l=smart']) {
      const refused = await refusalOf(gateway.port, getText(`/v1/realtime?${query}`, HANDSHAKE))
      expect(refused).toEqual({ status: 400, param: 'model', code: 'rules_not_applicable' })
    }
    expect(gateway.upstreams.only.requests).toHaveLength(0)
  }
})

test('a name of the parameter that is spelt with escapes is the model, too', async () => {
  const gateway = await start({
    upstreams: { only: switchOver },
    file: {
      params: [{ match: { model: 'smart' }, deny: ['user'] }],
      models: { fast: { targets: [{ upstream: 'only', model: 'gpt realtime/1' }] } },
    },
  })
  expect(await refusalOf(gateway.port, getText('/v1/realtime?mod%65l=smart', HANDSHAKE))).toEqual(REFUSED)
  await open(gateway.port, '/v1/realtime?a=%2F&mod%65l=fast&b=1')
  expect(lastRequest(gateway.upstreams.only).target).toBe('/v1/realtime?a=%2F&mod%65l=gpt%20realtime%2F1&b=1')
})
