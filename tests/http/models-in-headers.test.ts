import { expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { getText, postText, sendRaw } from '../helpers/raw-client.ts'
import { refusalOf } from '../helpers/received-answers.ts'
import { lastBody, lastRequest } from '../helpers/received-requests.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

/** `smart` stands for another model, `plain` for itself. */
const REFUSING = {
  upstreams: { only: answerOk },
  file: {
    unknown_models: 'refuse',
    models: {
      smart: { targets: [{ upstream: 'only', model: 'real' }] },
      plain: { targets: [{ upstream: 'only' }] },
    },
  },
}
const CAPPED = {
  upstreams: { only: answerOk },
  file: { params: [{ match: { endpoint: 'chat/completions' }, clamp: { max_tokens: { max: 5 } } }] },
}
const NAMES = [
  ...['X-Model', 'x-litellm-model', 'azureml-model-deployment', 'Helicone-Model-Override', 'X-Lora-Adapter'],
  ...['x-engine', 'x-pass-x-model', 'Some-Fallbacks'],
]
const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

function chat(headers: Readonly<Record<string, string>>, path = 'chat/completions'): string {
  return postText(`/v1/${path}`, JSON.stringify({ model: 'plain', messages: MESSAGES }), headers)
}

test('a model in a header has to be one that may be asked for under that very name', async () => {
  const gateway = await start(REFUSING)
  for (const name of NAMES) {
    for (const value of ['dear', 'plain, dear', '["plain","dear"]', '{"model":"dear"}', '"dear"', 'PLAIN']) {
      for (const path of ['chat/completions', 'files', 'anything']) {
        const { status, code } = await refusalOf(gateway.port, chat({ [name]: value }, path))
        expect([name, value, path, status, code]).toEqual([name, value, path, 404, 'model_not_found'])
      }
    }
    expect(await refusalOf(gateway.port, chat({ [name]: 'smart' }))).toEqual({
      status: 400,
      param: name.toLowerCase(),
      code: 'rules_not_applicable',
    })
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  const bytes = chat({ 'X-Litellm-Model': 'plain', 'X-Model-Provider': 'someone' })
  expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
  expect(bytes).toEndWith(await lastBody(gateway.upstreams.only))
  expect(lastRequest(gateway.upstreams.only).header('x-litellm-model')).toBe('plain')
})

test('a WebSocket’s headers are looked at as those of any call, and those of what only reads are not', async () => {
  const gateway = await start(REFUSING)
  const bytes = getText('/v1/realtime?model=plain', { ...UPGRADE, 'X-Model': 'dear' })
  expect((await refusalOf(gateway.port, bytes)).status).toBe(404)
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  expect((await sendRaw(gateway.port, getText('/v1/files', { 'X-Model': 'dear' }))).status).toBe(200)
})

test('a model in a header that other rules hold for than the request’s own is refused', async () => {
  const file = {
    params: [
      { match: { model: 'dear*' }, clamp: { max_tokens: { max: 5 } } },
      { match: { endpoint: 'embeddings' }, values: { model: ['plain'] } },
    ],
  }
  const gateway = await start({ upstreams: { only: answerOk }, file })
  const param = 'x-model'
  expect(await refusalOf(gateway.port, chat({ [param]: 'dear-1' }))).toMatchObject({ status: 400, param })
  expect(await refusalOf(gateway.port, chat({ [param]: 'other' }, 'embeddings'))).toMatchObject({ status: 400 })
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  expect((await sendRaw(gateway.port, chat({ [param]: 'other' }))).status).toBe(200)
})

const OTHERWISE = [
  ['X-HTTP-Method-Override', 'DELETE'],
  ['X-Method-Override', 'PUT'],
  ['X-Original-URL', '/v1/chat/completions'],
  ['X-Rewrite-Url', '/v1/chat/completions'],
  ['X-Portkey-Config', '{"override_params":{"model":"dear","max_tokens":9999}}'],
] as const

test.each([
  ['models decide', REFUSING],
  ['a rule may fit another endpoint', CAPPED],
] as const)('a header that makes another request of it is refused where %s', async (_where, what) => {
  const gateway = await start(what)
  const authorization = { Authorization: 'Bearer sk-of-the-caller' }
  for (const [name, value] of OTHERWISE) {
    for (const path of ['chat/completions', 'anything']) {
      const refused = await refusalOf(gateway.port, chat({ ...authorization, [name]: value }, path))
      expect(refused).toEqual({ status: 400, param: name.toLowerCase(), code: 'rules_not_applicable' })
    }
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  const same = chat({ ...authorization, 'X-HTTP-Method-Override': 'post' })
  expect((await sendRaw(gateway.port, same)).status).toBe(200)
})

test('where nothing decides, every header is the upstream’s', async () => {
  const gateway = await start({ upstreams: { only: answerOk }, env: { OPENAI_API_KEY: 'k' }, file: {} })
  const authorization = { Authorization: 'Bearer sk-of-the-caller' }
  for (const [name, value] of [...OTHERWISE, ['X-Model', 'dear'] as const]) {
    expect((await sendRaw(gateway.port, chat({ ...authorization, [name]: value }))).status).toBe(200)
    expect(lastRequest(gateway.upstreams.only).header(name.toLowerCase())).toBe(value)
  }
})
