import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { perTest } from '../helpers/per-test.ts'
import { getText, postText, sendRaw } from '../helpers/raw-client.ts'
import { refusalOf } from '../helpers/received-answers.ts'
import { lastBody, lastRequest } from '../helpers/received-requests.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const TEMPLATE = { path: '/deployments/{model}{path}', query: { 'api-version': '1' } }
const CAP = { match: { endpoint: 'chat/completions' }, clamp: { max_tokens: { max: 1500 } } }
const REFUSED = { status: 400, param: 'model', code: 'rules_not_applicable' }
const UNKNOWN = { status: 404, param: null, code: 'model_not_found' }
const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

function azure(file: object = {}) {
  return {
    upstreams: { az: answerOk },
    settings: { az: TEMPLATE },
    file: {
      unknown_models: 'refuse',
      models: { cheap: { targets: [{ upstream: 'az', model: 'gpt 4o/mini' }] } },
      params: [CAP],
      ...file,
    },
  }
}

function post(path: string, body: object = {}): string {
  return postText(path, JSON.stringify({ messages: MESSAGES, ...body }))
}

test('a deployment in the path is a call of that model: rules, aliases and the template hold for it', async () => {
  const gateway = await start(azure())
  for (const path of [
    '/v1/deployments/cheap/chat/completions',
    '/v1/deployments/cheap/chat/completions?api-version=1',
    '/v1/openai/deployments/cheap/chat/completions',
    '/v1/engines/cheap/chat/completions',
    '/engines/ch%65ap/chat/completions',
  ]) {
    for (const body of [{ max_tokens: 99_999 }, { model: 'dear', max_tokens: 99_999 }]) {
      expect((await sendRaw(gateway.port, post(path, body))).status).toBe(200)
      expect(lastRequest(gateway.upstreams.az).target).toBe(
        '/v1/deployments/gpt%204o%2Fmini/chat/completions?api-version=1',
      )
      expect(JSON.parse(await lastBody(gateway.upstreams.az))).toMatchObject({ model: 'gpt 4o/mini', max_tokens: 1500 })
    }
  }
})

test('a model in the path or the query that nobody may use is refused as it is in a body', async () => {
  const gateway = await start(azure())
  for (const path of [
    '/v1/deployments/dear/chat/completions',
    '/v1/deployments/dear/images/generations',
    '/v1/deployments/dear/embeddings',
    '/v1/engines/dear/completions',
    '/v1/deployments/dear',
    '/v1/models/dear:generateContent',
    '/v1/v1beta/models/dear:streamGenerateContent?alt=sse',
    '/v1/realtime/calls?model=dear',
    '/v1/anything?deployment=dear',
    '/v1/anything?Deployment-Id=dear',
    '/v1/anything?models=dear',
    '/v1/anything?fallbacks=dear',
    '/v1/anything?a=1&%6dodel=dear',
    '/v1/anything?%256dodel=dear',
    '/v1/anything?model[]=dear',
  ]) {
    for (const body of [{}, { max_tokens: 1 }])
      expect([path, await refusalOf(gateway.port, post(path, body))]).toEqual([path, UNKNOWN])
  }
  expect(await refusalOf(gateway.port, getText('/v1/models/dear', {}, 'DELETE'))).toEqual(UNKNOWN)
  expect(await refusalOf(gateway.port, getText('/v1/realtime?deployment=dear', UPGRADE))).toEqual(UNKNOWN)
  expect(gateway.upstreams.az.requests).toHaveLength(0)
})

test('a model that is named twice, or where only some would find it, is refused', async () => {
  const gateway = await start(azure())
  for (const path of [
    '/v1/deployments/a/b/chat/completions',
    '/v1/deployments/cheap/chat/completions?model=dear',
    '/v1/deployments/cheap/extensions/chat/completions',
    '/v1/model/dear/invoke',
    '/v1/dear/invocations',
    '/v1/serving-endpoints/dear/invocations',
    '/v1/dear/v1/chat/completions',
    '/v1/inference/dear/images/generations',
    '/v1/deployments/cheap/models/dear',
    '/v1/anything?model=cheap&deployment=dear',
    '/v1/anything?model=cheap;deployment=dear',
  ]) {
    expect([path, await refusalOf(gateway.port, post(path))]).toEqual([path, REFUSED])
  }
  expect(await refusalOf(gateway.port, post('/v1/anything?model=cheap', { model: 'dear' }))).toEqual(REFUSED)
  const both = getText('/v1/realtime?model=cheap&deployment=dear', UPGRADE)
  expect(await refusalOf(gateway.port, both)).toEqual(REFUSED)
  expect(gateway.upstreams.az.requests).toHaveLength(0)
})

test('a model in a query or in a place of its own is renamed there', async () => {
  const gateway = await start(azure())
  const named = encodeURIComponent('gpt 4o/mini')
  for (const [path, expected] of [
    ['/v1/anything?a=%2f&deployment=cheap&b', `/v1/anything?a=%2f&deployment=${named}&b&api-version=1`],
    ['/v1/v1beta/models/cheap:countTokens?x', `/v1/v1beta/models/${named}:countTokens?x&api-version=1`],
  ] as const) {
    expect((await sendRaw(gateway.port, post(path))).status).toBe(200)
    expect(lastRequest(gateway.upstreams.az).target).toBe(expected)
  }
})

test('an upstream without a template gets the call as all others make it', async () => {
  const gateway = await start({
    upstreams: { only: answerOk },
    file: { models: { cheap: { targets: [{ upstream: 'only', model: 'real' }] } } },
  })
  expect((await sendRaw(gateway.port, post('/v1/engines/cheap/chat/completions?x=1'))).status).toBe(200)
  expect(lastRequest(gateway.upstreams.only).target).toBe('/v1/chat/completions?x=1')
  expect(JSON.parse(await lastBody(gateway.upstreams.only))).toEqual({ model: 'real', messages: MESSAGES })
})

test('a rule for the path itself is not lost where the call has another one', async () => {
  const gateway = await start(azure({ params: [{ match: { endpoint: 'deployments/*' }, deny: ['messages'] }] }))
  expect(await refusalOf(gateway.port, post('/v1/deployments/cheap/chat/completions'))).toEqual(REFUSED)
  expect(gateway.upstreams.az.requests).toHaveLength(0)
})

test('values of a model hold for one in the path or the query, too', async () => {
  const gateway = await start({
    upstreams: { only: answerOk },
    file: { params: [{ values: { model: ['cheap'] } }] },
  })
  for (const path of ['engines/dear/completions', 'models/dear:generateContent', 'anything?model=dear']) {
    for (const bytes of [post(`/v1/${path}`), getText(`/v1/${path}`, { 'Content-Length': '0' }, 'POST')])
      expect((await refusalOf(gateway.port, bytes)).status).toBe(400)
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  for (const path of ['engines/cheap/completions', 'models/cheap:generateContent'])
    expect((await sendRaw(gateway.port, post(`/v1/${path}`))).status).toBe(200)
})

test('a model of this server’s own can’t be deleted by the name that stands for it', async () => {
  const gateway = await start(azure())
  const bytes = getText('/v1/models/cheap', {}, 'DELETE')
  expect(await refusalOf(gateway.port, bytes)).toMatchObject({ status: 405, code: 'method_not_supported' })
  expect(gateway.upstreams.az.requests).toHaveLength(0)
})

test('where neither rules nor models have a say, a path and a query go on byte for byte', async () => {
  const gateway = await start({ upstreams: { az: answerOk }, settings: { az: TEMPLATE } })
  for (const path of [
    '/v1/deployments/a%2fb/chat/completions?api-version=2&model=x&deployment=y',
    '/v1/engines/x/completions?api-version=2',
    '/v1//chat//completions/;a=b?api-version=2',
    '/v1/Chat%2fcompletions%3f?api-version=2',
  ]) {
    const body = JSON.stringify({ messages: MESSAGES, max_tokens: 5 })
    expect((await sendRaw(gateway.port, postText(path, body))).status).toBe(200)
    expect(lastRequest(gateway.upstreams.az).target).toBe(path)
    expect(await lastBody(gateway.upstreams.az)).toBe(body)
  }
})

test('where a rule is for another endpoint, a path goes on byte for byte', async () => {
  const gateway = await start({
    upstreams: { only: answerOk },
    file: { params: [{ match: { endpoint: 'embeddings' }, deny: ['user'] }] },
  })
  for (const path of ['/v1//chat/completions', '/v1/engines/x/completions', '/v1/anything?model=a&model=b']) {
    expect((await sendRaw(gateway.port, post(path))).status).toBe(200)
    expect(lastRequest(gateway.upstreams.only).target).toBe(path)
  }
})

test('reading stays as it is: lists, objects and ids in any spelling', async () => {
  const gateway = await start(azure())
  for (const path of ['/v1/files/a%2Fb/', '/v1/chat/completions?model=dear', '/v1/files?deployment=dear']) {
    expect((await sendRaw(gateway.port, getText(path))).status).toBe(200)
    expect(lastRequest(gateway.upstreams.az).target).toBe(`${path}${path.includes('?') ? '&' : '?'}api-version=1`)
  }
})

/** One letter or slash of a path, as some server reads it. */
const spelt = (character: string): fc.Arbitrary<string> => {
  const code = character.charCodeAt(0).toString(16).padStart(2, '0')
  const others = character === '/' ? ['//', '/;x/', '%2f', '%5c', '/%20/'] : [character.toUpperCase(), `%25${code}`]
  return fc.oneof({ weight: 8, arbitrary: fc.constant(character) }, fc.constantFrom(`%${code}`, ...others))
}
const SPELT = fc.tuple(
  fc
    .constantFrom('chat/completions', 'deployments/dear/chat/completions', 'engines/dear/completions')
    .chain((path) => fc.tuple(...[...path].map(spelt)).map((parts) => parts.join(''))),
  fc.constantFrom('', '/', '//', '.', '%20', '%00', '%3f', ';a', '.json', '%2e', '::$DATA', '%23x', '%0a'),
)

test('a call in front of which a version stands, or behind which its form does, is no other call', async () => {
  const file = { params: ['chat/completions', 'completions'].map((endpoint) => ({ ...CAP, match: { endpoint } })) }
  const gateway = await start({ upstreams: { only: answerOk }, file })
  for (const path of [
    'beta/completions',
    'v1beta/chat/completions',
    'inference/v1/completions',
    'api/v2/completions',
  ]) {
    const sent = { model: 'm', prompt: 'x', max_tokens: 9999 }
    expect((await sendRaw(gateway.port, post(`/v1/${path}`, sent))).status).toBe(200)
    expect(JSON.parse(await lastBody(gateway.upstreams.only))).toMatchObject({ ...sent, max_tokens: 1500 })
  }
  const seen = gateway.upstreams.only.requests.length
  for (const path of ['chat/completions/batch', 'completions/stream', 'beta/chat/completions/async']) {
    expect(await refusalOf(gateway.port, post(`/v1/${path}`, { max_tokens: 9999 }))).toEqual(REFUSED)
  }
  expect(gateway.upstreams.only.requests).toHaveLength(seen)
  const made = post('/v1/chat/completions/chatcmpl-1', { metadata: { a: 'b' } })
  expect((await sendRaw(gateway.port, made)).status).toBe(200)
})

test('no spelling of a path gets past the models or a cap', async () => {
  const gateway = await start(azure())
  await fc.assert(
    fc.asyncProperty(SPELT, async ([path, end]) => {
      const before = gateway.upstreams.az.requests.length
      const answer = await sendRaw(gateway.port, post(`/v1/${path}${end}`, { model: 'dear', max_tokens: 99_999 }))
      expect([400, 404]).toContain(answer.status)
      expect(gateway.upstreams.az.requests).toHaveLength(before)
    }),
    { numRuns: 200 },
  )
})
