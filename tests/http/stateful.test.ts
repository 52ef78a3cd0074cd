import { expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { perTest } from '../helpers/per-test.ts'
import { lastBody, lastRequest } from '../helpers/received-requests.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

const start = perTest(startGateway)

const KEYS = ['sk-a1-0123456789abcdef', 'sk-a2-0123456789abcdef'] as const

/** An upstream that makes objects, one after the other: `resp_<name>_0001`, … */
function holder(name: string): Script {
  let made = 0
  return async (request, connection) => {
    const body = Buffer.from(await request.body).toString()
    if (request.method !== 'POST' || /_\d{4}/.test(request.target)) return connection.json({ by: name })
    made += 1
    const id = `resp_${name}_${String(made).padStart(4, '0')}`
    if (!body.includes('"stream":true')) return connection.json({ id, object: 'response', by: name })
    connection.startChunked(200, { 'content-type': 'text/event-stream' })
    connection.chunk(`event: response.created\ndata: {"type":"response.created","response":{"id":"${id}"}}\n\n`)
    connection.chunk('data: {"type":"response.completed"}\n\n')
    connection.endChunks()
  }
}

/** Two upstreams, of which the first has two keys; each model leads to one of them. */
const TWO = {
  upstreams: { a: holder('a'), b: holder('b') },
  settings: { a: { api_keys: KEYS }, b: { api_key: 'sk-b1-0123456789abcdef' } },
  file: { models: { ma: { targets: [{ upstream: 'a' }] }, mb: { targets: [{ upstream: 'b', model: 'inner' }] } } },
}

type Two = TestGateway<'a' | 'b'>

/** Makes an object, and gives its id once the answer is complete. */
async function make({ chat }: Two, model: string, more: object = {}): Promise<string> {
  const text = await (await chat({ model, ...more }, {}, '/v1/responses')).text()
  const id = /"id":"(\w+)"/.exec(text)?.[1]
  if (id === undefined) throw new Error(`no id in ${text}`)
  return id
}

async function ask({ url }: Two, method: string, path: string): Promise<unknown> {
  const response = await fetch(url + path, { method })
  return response.json()
}

test('an object is asked for where it was made, with the key that made it: reading, deleting, cancelling', async () => {
  const two = await start(TWO)
  for (const more of [{}, { stream: true }]) {
    for (const [model, by] of [
      ['mb', 'b'],
      ['ma', 'a'],
      ['ma', 'a'],
    ] as const) {
      const id = await make(two, model, more)
      const upstream = two.upstreams[by]
      const spent = lastRequest(upstream).header('authorization')
      for (const [method, path] of [
        ['GET', `/v1/responses/${id}`],
        ['GET', `/responses/${id}/input_items?limit=1`],
        ['POST', `/v1/responses/${id}/cancel`],
        ['DELETE', `/v1/responses/${id}`],
      ] as const) {
        expect([path, await ask(two, method, path)]).toEqual([path, { by }])
        expect(lastRequest(upstream).method).toBe(method)
        expect(lastRequest(upstream).header('authorization')).toBe(spent)
      }
    }
  }
  const keys = new Set(two.upstreams.a.requests.map((request) => request.header('authorization')))
  expect([...keys].sort()).toEqual(KEYS.map((key) => `Bearer ${key}`))
})

test('a response that goes on from another goes to who holds that, whatever its model leads to', async () => {
  const two = await start(TWO)
  const id = await make(two, 'mb')
  for (const more of [{ previous_response_id: id }, { conversation: id }, { conversation: { id } }]) {
    expect(await (await two.chat({ model: 'ma', ...more }, {}, '/v1/responses')).json()).toMatchObject({ by: 'b' })
  }
  // Where the model leads there, too, the holder's own name for it is used.
  await two.chat({ model: 'mb', previous_response_id: id }, {}, '/v1/responses')
  expect(JSON.parse(await lastBody(two.upstreams.b))).toMatchObject({ model: 'inner', previous_response_id: id })
  const other = await two.chat({ model: 'ma', previous_response_id: 'resp_unknown_0001' }, {}, '/v1/responses')
  expect(await other.json()).toMatchObject({ by: 'a' })
})

test('among the keys of a pool, each conversation stays with the one that began it', async () => {
  const two = await start(TWO)
  const ids = [await make(two, 'ma'), await make(two, 'ma')]
  const [first, second] = two.upstreams.a.requests.map((request) => request.header('authorization'))
  expect(first).not.toBe(second)
  for (const [id, key] of [
    [ids[1], second],
    [ids[0], first],
    [ids[0], first],
    [ids[1], second],
  ] as const) {
    await two.chat({ model: 'ma', previous_response_id: id }, {}, '/v1/responses')
    expect(lastRequest(two.upstreams.a).header('authorization')).toBe(key)
  }
})

test('a pool of keys without any model in the file keeps its conversations together, too', async () => {
  const two = await start({ upstreams: TWO.upstreams, settings: TWO.settings, file: { pins: { threads: 'b' } } })
  const id = await make(two, 'm')
  const key = lastRequest(two.upstreams.a).header('authorization')
  for (let turn = 0; turn < 3; turn += 1) {
    await two.chat({ model: 'm', previous_response_id: id }, {}, '/v1/responses')
    expect(lastRequest(two.upstreams.a).header('authorization')).toBe(key)
  }
  const text = '{ "model":"m",  "input" : 1.0}'
  await two.chat(text, {}, '/v1/responses')
  expect(await lastBody(two.upstreams.a)).toBe(text)
  expect(await (await two.chat('{}', {}, '/v1/threads')).json()).toMatchObject({ by: 'b' })
})

test('a chat completion that is stored is asked for where it was made; one that is not has nothing to remember', async () => {
  const two = await start(TWO)
  const encoded = { 'accept-encoding': 'gzip' }
  const made = await (await two.chat({ model: 'mb', store: true }, encoded)).json()
  const { id } = made as { readonly id: string }
  expect(lastRequest(two.upstreams.b).header('accept-encoding')).toBe('identity')
  expect(await ask(two, 'GET', `/v1/chat/completions/${id}`)).toEqual({ by: 'b' })
  await two.chat({ model: 'mb' }, encoded)
  expect(lastRequest(two.upstreams.b).header('accept-encoding')).toBe('gzip')
})

test('files, batches and what is made of them stay together', async () => {
  const two = await start({ ...TWO, file: { ...TWO.file, default_upstream: 'b' } })
  const id = await make(two, 'ma')
  expect(await ask(two, 'GET', `/v1/files/${id}/content`)).toEqual({ by: 'a' })
  for (const [path, body] of [
    ['/v1/batches', { input_file_id: id }],
    ['/v1/fine_tuning/jobs', { training_file: id }],
    ['/v1/vector_stores', { file_ids: [id] }],
    ['/v1/threads/runs', { assistant_id: id }],
    ['/v1/responses', { tools: [{ type: 'file_search', vector_store_ids: [id] }] }],
  ] as const) {
    expect([path, await (await two.chat(body, {}, path)).json()]).toMatchObject([path, { by: 'a' }])
  }
})

test('an unknown id goes where its resource is pinned to, else to the default upstream', async () => {
  const pins = { files: 'b', responses: 'b' }
  const two = await start({ ...TWO, file: { ...TWO.file, pins } })
  for (const [path, by] of [
    ['/v1/files', 'b'],
    ['/v1/files/file-unknown123', 'b'],
    ['/files/file-unknown123/content?x=1', 'b'],
    ['/v1/responses/resp_unknown_0001', 'b'],
    ['/v1/batches/batch_unknown_0001', 'a'],
    ['/v1/assistants', 'a'],
  ] as const) {
    expect([path, await ask(two, 'GET', path)]).toEqual([path, { by }])
  }
  expect(await (await two.chat({ model: 'ma' }, {}, '/v1/responses')).json()).toMatchObject({ by: 'b' })
  expect(await (await two.chat({ model: 'ma', messages: MESSAGES })).json()).toMatchObject({ by: 'a' })
  const form = new FormData()
  form.set('purpose', 'batch')
  form.set('file', new File(['x'], 'x.jsonl'))
  const uploaded = await fetch(`${two.url}/v1/files`, { method: 'POST', body: form })
  expect(await uploaded.json()).toMatchObject({ by: 'b' })
  const unpinned = await start({ ...TWO, file: { ...TWO.file, default_upstream: 'b' } })
  expect(await ask(unpinned, 'GET', '/v1/responses/resp_unknown_0001')).toEqual({ by: 'b' })
})

test('a remembered id goes before a pin', async () => {
  const two = await start(TWO)
  const id = await make(two, 'mb')
  const pinned = await start({ ...TWO, file: { ...TWO.file, pins: { batches: 'a' } } })
  expect(await ask(two, 'GET', `/v1/responses/${id}`)).toEqual({ by: 'b' })
  const other = await make(pinned, 'mb')
  expect(await (await pinned.chat({ input_file_id: other }, {}, '/v1/batches')).json()).toMatchObject({ by: 'b' })
})

test.each([1, 20, 45, 60, 75])(
  'the id in a stream is remembered where its beginning comes in pieces: cut at %d',
  async (at) => {
    const event = 'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_b_cut_0001"}}\n\n'
    const inPieces: Script = async (request, connection) => {
      await request.body
      if (request.method === 'GET') return connection.json({ by: 'b' })
      connection.startChunked(200, { 'content-type': 'text/event-stream' })
      connection.chunk(event.slice(0, at))
      await going.promise
      connection.chunk(event.slice(at))
      connection.endChunks()
    }
    const going = Promise.withResolvers<void>()
    const two = await start({ ...TWO, upstreams: { a: holder('a'), b: inPieces } })
    const reader = (await two.chat({ model: 'mb', stream: true }, {}, '/v1/responses')).body?.getReader()
    await reader?.read()
    going.resolve()
    while ((await reader?.read())?.done === false);
    expect(await ask(two, 'GET', '/v1/responses/resp_b_cut_0001')).toEqual({ by: 'b' })
  },
)

test('the id of an object is remembered although its maker’s client asks for an encoded answer', async () => {
  const encoding: Script = async (request, connection) => {
    await request.body
    if (request.method === 'GET') return connection.json({ by: 'b' })
    const isEncoded = /gzip/.test(request.header('accept-encoding') ?? '')
    const text = JSON.stringify({ id: 'resp_b_gzip_0001' })
    const headers = { 'content-type': 'application/json', ...(isEncoded && { 'content-encoding': 'gzip' }) }
    connection.respond(200, headers, isEncoded ? gzipSync(text) : text)
  }
  const two = await start({ ...TWO, upstreams: { a: holder('a'), b: encoding } })
  for (const path of ['/v1/responses', '/files']) {
    await (await two.chat({ model: 'mb' }, { 'accept-encoding': 'gzip, deflate' }, path)).text()
    expect(await ask(two, 'GET', `${path}/resp_b_gzip_0001`)).toEqual({ by: 'b' })
  }
})

test('the id of an object is remembered also where its answer may be another request’s, too', async () => {
  const two = await start(TWO)
  const made = await two.chat({ model: 'mb' }, { 'idempotency-key': 'once' }, '/v1/responses')
  const { id } = (await made.json()) as { id: string }
  expect(await ask(two, 'GET', `/v1/responses/${id}`)).toEqual({ by: 'b' })
})

test('a body with more ids than can be found at once is parsed in slices: a known one among them still counts', async () => {
  const two = await start(TWO)
  const send = (input: readonly unknown[]) => two.chat({ model: 'ma', input }, {}, '/v1/responses')
  const others = Array.from({ length: 25_000 }, (_, at) => ({ type: 'x', id: `${at}`.padStart(48, 'o') }))
  const dense = Array.from({ length: 200_000 }, () => ({ id: 'o' }))
  const lists = [{ x_ids: Array.from({ length: 400_000 }, () => 'o') }]
  for (const input of [dense, lists]) expect((await send(input)).status).toBe(413)
  const id = await make(two, 'mb')
  expect(two.upstreams.a.requests).toHaveLength(0)
  for (const input of [dense, lists]) expect((await send(input)).status).toBe(413)
  await send([...others, { type: 'item_reference', id }])
  expect([two.upstreams.a.requests.length, two.upstreams.b.requests.length]).toEqual([0, 2])
  await send(others)
  expect([two.upstreams.a.requests.length, two.upstreams.b.requests.length]).toEqual([1, 2])
})
