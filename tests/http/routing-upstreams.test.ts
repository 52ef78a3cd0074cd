import { expect, test } from 'bun:test'
import { PRESETS } from '../../src/config/providers/presets.ts'
import { perTest } from '../helpers/per-test.ts'
import { lastBody, lastRequest } from '../helpers/received-requests.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const KEY = 'sk-of-the-server-0123456789'
const VERSION = 'api-version=2024-10-21'
const AZURE = { preset: 'azure', api_key: KEY }
const AUDIO = '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n--b--\r\n'

function azure(more: object = {}) {
  return {
    upstreams: { azure: answerOk },
    settings: { azure: { ...AZURE, ...more } },
    file: { models: { smart: { targets: [{ upstream: 'azure', model: 'my deployment/1' }] } } },
  }
}

test('azure: a call of a model goes to its deployment, with api-version and the key in api-key only', async () => {
  const { chat, upstreams } = await start(azure())
  for (const path of ['chat/completions', 'completions', 'embeddings', 'images/generations', 'audio/speech']) {
    for (const prefix of ['/v1/', '/']) {
      const body = '{"model":"smart","prompt":"x","messages":[{"role":"user","content":"hi"}]}'
      expect((await chat(body, { authorization: 'Bearer sk-mine' }, prefix + path)).status).toBe(200)
      const request = lastRequest(upstreams.azure)
      expect(request.target).toBe(`/v1/deployments/my%20deployment%2F1/${path}?${VERSION}`)
      expect(request.header('api-key')).toBe(KEY)
      expect(request.header('authorization')).toBeUndefined()
      expect(await lastBody(upstreams.azure)).toBe(body.replace('smart', 'my deployment/1'))
    }
  }
})

test('azure: a form’s model is its deployment, too', async () => {
  const gateway = await start(azure())
  const headers = { 'content-type': 'multipart/form-data; boundary=b' }
  await fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', headers, body: AUDIO })
  expect(lastRequest(gateway.upstreams.azure).target).toBe(`/v1/deployments/whisper/audio/transcriptions?${VERSION}`)
})

test('azure: what is no call of a model, or names none, goes without the template', async () => {
  const gateway = await start(azure())
  await gateway.chat({ model: 'smart' }, {}, '/v1/responses')
  expect(lastRequest(gateway.upstreams.azure).target).toBe(`/v1/responses?${VERSION}`)
  await gateway.chat({ prompt: 'x' }, {}, '/v1/images/generations')
  expect(lastRequest(gateway.upstreams.azure).target).toBe(`/v1/images/generations?${VERSION}`)
  await fetch(`${gateway.url}/v1/files?limit=2&after=a%2Fb`)
  expect(lastRequest(gateway.upstreams.azure).target).toBe(`/v1/files?limit=2&after=a%2Fb&${VERSION}`)
})

test('azure: the caller’s own api-version goes before the file’s, and that before the preset’s', async () => {
  const { chat, upstreams } = await start(azure({ query: { 'api-version': '2025-01-01-preview' } }))
  await chat({ model: 'm' })
  expect(lastRequest(upstreams.azure).target).toBe('/v1/deployments/m/chat/completions?api-version=2025-01-01-preview')
  for (const query of ['?api-version=mine', '?api%2Dversion=mine&x=1']) {
    await chat({ model: 'm' }, {}, `/v1/chat/completions${query}`)
    expect(lastRequest(upstreams.azure).target).toBe(`/v1/deployments/m/chat/completions${query}`)
  }
})

test('azure: without `models` and without rules, a chat goes to the deployment that it names', async () => {
  const { chat, upstreams } = await start({ upstreams: { azure: answerOk }, settings: { azure: AZURE } })
  for (const [path, model] of [
    ['chat/completions', 'gpt-4o'],
    ['embeddings', 'text-embedding-3-small'],
  ] as const) {
    await chat({ model, input: 'x' }, {}, `/v1/${path}`)
    expect(lastRequest(upstreams.azure).target).toBe(`/v1/deployments/${model}/${path}?${VERSION}`)
  }
})

test('a template and a base path of one’s own are joined, and no model leads out of the base', async () => {
  const { chat, upstreams } = await start({
    upstreams: { only: answerOk },
    settings: { only: { path: '/m/{model}/v2{path}' } },
    file: { models: { a: { targets: [{ upstream: 'only' }] } } },
  })
  await chat({ model: 'a?b#c/..d\\e' })
  expect(lastRequest(upstreams.only).target).toBe('/v1/m/a%3Fb%23c%2F..d%5Ce/v2/chat/completions')
  for (const model of ['..', '.', 'a/../../files', 'a\\..', '..;x/b']) {
    expect([model, (await chat({ model })).status]).toEqual([model, 400])
  }
  expect(upstreams.only.requests).toHaveLength(1)
})

test('an upstream’s headers, query, organization and project go with each call, in place of the caller’s', async () => {
  const gateway = await start({
    upstreams: { only: answerOk },
    settings: {
      only: {
        ...{ api_key: KEY, headers: { 'X-Team': 'red' }, query: { 'a-b': 'c&d e', tier: '1' } },
        ...{ organization: 'org-1', project: 'proj_1' },
      },
    },
  })
  const mine = { 'x-team': 'blue', 'openai-organization': 'org-mine', 'openai-project': 'proj-mine', 'x-other': 'kept' }
  await gateway.chat({ model: 'm' }, mine)
  await fetch(`${gateway.url}/v1/models?tier=2`, { headers: mine })
  const [first, second] = gateway.upstreams.only.requests
  for (const request of [first, second]) {
    expect(request?.header('x-team')).toBe('red')
    expect(request?.header('openai-organization')).toBe('org-1')
    expect(request?.header('openai-project')).toBe('proj_1')
    expect(request?.header('x-other')).toBe('kept')
  }
  expect(first?.target).toBe('/v1/chat/completions?a-b=c%26d%20e&tier=1')
  expect(second?.target).toBe('/v1/models?tier=2&a-b=c%26d%20e')
})

test.each([...PRESETS.values()].map((preset) => [preset.name, preset] as const))(
  'the preset %s is spoken to by its path and the header of its key',
  async (name, { baseUrl, keyHeader, modelPath, query }) => {
    const path = baseUrl === undefined ? '/openai' : new URL(baseUrl).pathname.replace(/\/$/, '')
    const upstream = await start({ upstreams: { there: answerOk }, file: {} })
    const { chat } = await start({
      upstreams: { unused: answerOk },
      file: {
        upstreams: { it: { preset: name, api_key: KEY, base_url: upstream.upstreams.there.url + path } },
      },
    })
    const response = await chat({ model: 'm' }, { authorization: 'Bearer sk-mine' })
    expect(response.status).toBe(200)
    const request = lastRequest(upstream.upstreams.there)
    const search = new URLSearchParams(query).toString()
    const end = modelPath === undefined ? '/chat/completions' : '/deployments/m/chat/completions'
    expect(request.target).toBe(path + end + (search === '' ? '' : `?${search}`))
    expect(request.header(keyHeader)).toBe(keyHeader === 'authorization' ? `Bearer ${KEY}` : KEY)
    const others = ['authorization', 'api-key', 'x-api-key'].filter((one) => one !== keyHeader)
    expect(others.map((one) => request.header(one))).toEqual(others.map(() => undefined))
  },
)
