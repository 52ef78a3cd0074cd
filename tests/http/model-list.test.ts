import { expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { getText, sendRaw } from '../helpers/raw-client.ts'
import { errorOf, sendUntilClosed, statusAndCode } from '../helpers/received-answers.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const KEY = 'sk-of-the-server-0123456789'

/** Answers a request for models with these, and counts nothing else. */
function listing(...ids: readonly string[]): Script {
  return (_request, connection) => connection.json({ object: 'list', data: ids.map((id) => ({ id, object: 'model' })) })
}

const to = (upstream: string, model?: string) => ({ targets: [{ upstream, ...(model !== undefined && { model }) }] })

interface Listed {
  readonly object: string
  readonly data: readonly { readonly id: string; readonly owned_by: string }[]
}

async function list(url: string, path = '/v1/models'): Promise<Record<string, string>> {
  const response = await fetch(url + path)
  expect(response.status).toBe(200)
  const { data } = (await response.json()) as Listed
  return Object.fromEntries(data.map(({ id, owned_by }) => [id, owned_by]))
}

test('GET /v1/models lists the names of the file in OpenAI’s shape, and asks no upstream for it', async () => {
  const gateway = await start({
    upstreams: { a: listing('x'), b: listing('y') },
    file: { models: { smart: to('a', 'gpt-4o'), 'groq/llama': to('b') } },
  })
  const began = Math.floor(Date.now() / 1000)
  for (const path of ['/v1/models', '/models', '/v1/models/', '/v1/models?limit=2']) {
    const response = await fetch(gateway.url + path)
    expect(response.headers.get('content-type')).toStartWith('application/json')
    expect(response.headers.get('x-request-id')).toStartWith('req_')
    const listed = (await response.json()) as { readonly data: readonly { readonly created: number }[] }
    expect(listed).toEqual({
      object: 'list',
      data: [
        { id: 'smart', object: 'model', created: expect.any(Number), owned_by: 'a' },
        { id: 'groq/llama', object: 'model', created: expect.any(Number), owned_by: 'b' },
      ],
    } as never)
    expect(Math.abs((listed.data[0]?.created ?? 0) - began)).toBeLessThan(60)
  }
  expect([gateway.upstreams.a.requests.length, gateway.upstreams.b.requests.length]).toEqual([0, 0])
  expect(await gateway.exchange(1)).toMatchObject({ route: 'models', status: 200, attempts: 0 })
})

test('GET /v1/models/{id} gives one of them, its slashes escaped or not, and the upstream what is not among them', async () => {
  const gateway = await start({
    upstreams: { a: answerOk },
    file: { models: { smart: to('a'), 'groq/*': to('a', '*'), 'gpt-*': to('a') } },
  })
  for (const [written, id] of [
    ['smart', 'smart'],
    ['groq%2Fllama-3', 'groq/llama-3'],
    ['groq/llama-3', 'groq/llama-3'],
    ['gpt-4o?x=1', 'gpt-4o'],
    ['sm%61rt/', 'smart'],
  ] as const) {
    for (const prefix of ['/v1', '']) {
      const response = await fetch(`${gateway.url}${prefix}/models/${written}`)
      expect([id, await response.json()]).toEqual([
        id,
        { id, object: 'model', created: expect.any(Number), owned_by: 'a' } as unknown,
      ])
    }
  }
  expect(gateway.upstreams.a.requests).toHaveLength(0)
  expect(await (await fetch(`${gateway.url}/v1/models/other`)).json()).toEqual({ ok: true })
  expect(lastRequest(gateway.upstreams.a).target).toBe('/v1/models/other')
})

test('HEAD has the headers and no body; what is no reading goes upstream', async () => {
  const gateway = await start({ upstreams: { a: answerOk }, file: { models: { smart: to('a') } } })
  for (const path of ['/v1/models', '/v1/models/smart']) {
    const whole = await sendRaw(gateway.port, getText(path))
    expect(whole.headers.get('content-length')).toBe(String(whole.body.byteLength))
    const received = await sendUntilClosed(gateway.port, getText(path, { Connection: 'close' }, 'HEAD'))
    expect(received).toStartWith('HTTP/1.1 200 ')
    expect(received.toLowerCase()).toContain(`content-length: ${whole.body.byteLength}\r\n`)
    expect(received).toEndWith('\r\n\r\n')
  }
  expect(gateway.upstreams.a.requests).toHaveLength(0)
  expect((await fetch(`${gateway.url}/v1/models/smart`, { method: 'DELETE' })).status).toBe(200)
  expect(lastRequest(gateway.upstreams.a).method).toBe('DELETE')
})

test('a name with a * is listed as the models of its upstream that it fits, by the names that callers use', async () => {
  const gateway = await start({
    upstreams: { a: listing('gpt-4o', 'gpt-4o-mini', 'o1', 'ada'), b: listing('llama-3', 'x/y') },
    settings: { b: { api_key: KEY } },
    file: {
      models: {
        'gpt-4o': to('a'),
        'gpt-*': to('a'),
        'groq/*': to('b', '*'),
        'my-*': to('a', 'o*'),
        'one-*': to('b', 'llama-3'),
      },
    },
  })
  const expected = { 'gpt-4o': 'a', 'gpt-4o-mini': 'a', 'groq/llama-3': 'b', 'groq/x/y': 'b', 'my-1': 'a' }
  expect(await list(gateway.url)).toEqual(expected)
  // Each is asked once, by its own key, and for bytes that can be read.
  expect([gateway.upstreams.a.requests.length, gateway.upstreams.b.requests.length]).toEqual([1, 1])
  expect(lastRequest(gateway.upstreams.b).target).toBe('/v1/models')
  expect(lastRequest(gateway.upstreams.b).header('authorization')).toBe(`Bearer ${KEY}`)
  expect(lastRequest(gateway.upstreams.b).header('accept-encoding')).toBe('identity')
})

test('an upstream that fails, or says what is no list, is left out; the names that are known are there', async () => {
  for (const broken of [
    (_request, connection) => connection.reset(),
    (_request, connection) => connection.json({ error: {} }, 500),
    (_request, connection) => connection.respond(200, { 'content-type': 'text/html' }, '<html>'),
    (_request, connection) => connection.json({ data: [1, null, { id: 5 }, 'x'] }),
  ] satisfies readonly Script[]) {
    const gateway = await start({
      upstreams: { good: listing('gpt-4o'), broken },
      file: { models: { smart: to('broken'), 'gpt-*': to('good'), 'b-*': to('broken', '*') } },
    })
    expect(await list(gateway.url)).toEqual({ smart: 'broken', 'gpt-4o': 'good' })
  }
})

test('an upstream that does not answer is waited for a while, and left out', async () => {
  const { promise: never } = Promise.withResolvers<void>()
  const gateway = await start({
    upstreams: { good: listing('gpt-4o'), silent: () => never },
    settings: { silent: { timeouts: { first_byte: 50 } } },
    file: { models: { 'gpt-*': to('good'), '*': to('silent') } },
  })
  expect(await list(gateway.url)).toEqual({ 'gpt-4o': 'good' })
  expect(gateway.upstreams.silent.requests).toHaveLength(1)
})

test('who may not spend an upstream’s key does not get its models, and nothing goes there', async () => {
  const gateway = await start({
    upstreams: { a: listing('gpt-4o') },
    settings: { a: { api_key: KEY } },
    file: { models: { smart: to('a'), 'gpt-*': to('a') } },
    env: { HOST: '0.0.0.0' },
  })
  expect(statusAndCode(await sendRaw(gateway.port, getText('/v1/models')))).toBe('401 null')
  await sendRaw(gateway.port, getText('/v1/models', { Authorization: 'Bearer sk-mine' }))
  expect(gateway.upstreams.a.requests).toHaveLength(0)
})

test('without `models` the list is the upstream’s, byte for byte', async () => {
  const body = '{ "object":"list" , "data":[] }'
  const raw: Script = (_request, connection) => connection.respond(200, { 'content-type': 'application/json' }, body)
  for (const file of [{}, { unknown_models: 'refuse' }, { params: [{ match: { model: 'x' }, deny: ['user'] }] }]) {
    const gateway = await start({ upstreams: { only: raw }, file })
    expect(await (await fetch(`${gateway.url}/v1/models?after=x`)).text()).toBe(body)
    expect(lastRequest(gateway.upstreams.only).target).toBe('/v1/models?after=x')
    expect((await fetch(`${gateway.url}/v1/models/x`)).status).toBe(200)
  }
})

test('unknown_models: refuse: a model that is not offered is not there', async () => {
  const gateway = await start({
    upstreams: { a: answerOk },
    file: { unknown_models: 'refuse', models: { smart: to('a') } },
  })
  const answer = await errorOf(await fetch(`${gateway.url}/v1/models/other`))
  expect(answer).toMatchObject([404, { code: 'model_not_found' }])
  expect(gateway.upstreams.a.requests).toHaveLength(0)
})
