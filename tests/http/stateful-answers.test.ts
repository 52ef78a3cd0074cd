import { expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { perTest } from '../helpers/per-test.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

const start = perTest(startGateway)

const KEYS = ['sk-a1-0123456789abcdef', 'sk-a2-0123456789abcdef'] as const

type Form = 'json' | 'chunked' | 'stream' | 'gzip' | 'gzip stream'

/** Answers with a value, in a form; whatever else it is asked for, with who it is and by which key it is asked. */
function answering(name: string, paths: Readonly<Record<string, unknown>>, form: Form = 'json'): Script {
  return async (request, connection) => {
    await request.body
    const value = paths[`${request.method} ${request.target}`]
    if (value === undefined) return connection.json({ by: name, key: request.header('authorization') })
    const isStream = form.endsWith('stream')
    const text = isStream
      ? `event: response.created\ndata: ${JSON.stringify({ type: 'response.created', response: value })}\n\ndata: {"type":"response.completed"}\n\n`
      : JSON.stringify(value)
    const bytes = form.startsWith('gzip') ? gzipSync(text) : new TextEncoder().encode(text)
    const headers = {
      'content-type': isStream ? 'text/event-stream' : 'application/json',
      ...(form.startsWith('gzip') && { 'content-encoding': 'gzip' }),
    }
    if (form === 'json') return connection.respond(200, headers, bytes)
    connection.startChunked(200, headers)
    const half = Math.floor(bytes.byteLength / 2)
    for (const piece of [bytes.subarray(0, half), bytes.subarray(half)]) connection.chunk(piece)
    connection.endChunks()
  }
}

/** Upstream `b` answers with a value; what is unknown goes to `a`. */
function twoWith(
  paths: Readonly<Record<string, unknown>>,
  form: Form = 'json',
  file: object = {},
): Promise<TestGateway<'a' | 'b'>> {
  return start({
    upstreams: { a: answering('a', {}), b: answering('b', paths, form) },
    settings: { a: { api_key: KEYS[0] }, b: { api_key: KEYS[1] } },
    file: { models: { mb: { targets: [{ upstream: 'b' }] } }, ...file },
  })
}

async function get(gateway: TestGateway<'a' | 'b'>, path: string): Promise<unknown> {
  return (await fetch(gateway.url + path)).json()
}

const FORMS: readonly Form[] = ['json', 'chunked', 'stream', 'gzip', 'gzip stream']

test.each(FORMS)('ids deep in an answer are remembered, whatever form it comes in: %s', async (form) => {
  const response = {
    metadata: { id: 'customer-12345678', file_id: 'file-of-the-caller' },
    id: 'resp_YWJj==',
    output: [
      { type: 'code_interpreter_call', id: 'ci_12345678', container_id: 'cntr_12345678' },
      { type: 'message', id: 'msg_12345678', content: [{ annotations: [{ file_id: 'cfile_12345678' }] }] },
    ],
    conversation: { id: 'conv_12345678' },
  }
  const two = await twoWith({ 'POST /v1/responses': response }, form)
  await (await two.chat({ model: 'mb', stream: form.endsWith('stream') }, {}, '/v1/responses')).text()
  for (const path of [
    '/v1/responses/resp_YWJj%3D%3D',
    '/v1/responses/resp_YWJj==/input_items?after=x',
    '/v1/containers/cntr_12345678/files',
    '/v1/containers/cntr_12345678/files/cfile_12345678/content',
    '/v1/conversations/conv_12345678/items',
    '/v1/files?after=cfile_12345678',
  ]) {
    expect([path, await get(two, path)]).toMatchObject([path, { by: 'b' }])
  }
  for (const body of [
    { input: [{ type: 'item_reference', id: 'msg_12345678' }] },
    { input: [{ type: 'message', id: 'msg_12345678', role: 'assistant', content: [] }] },
    { tools: [{ type: 'code_interpreter', container: 'cntr_12345678' }] },
    { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'cfile_12345678' }] }] },
  ]) {
    expect(await (await two.chat(body, {}, '/v1/responses?again')).json()).toMatchObject({ by: 'b' })
  }
  const chat = { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'cfile_12345678' } }] }] }
  expect(await (await two.chat(chat)).json()).toMatchObject({ by: 'b' })
  for (const path of ['/v1/files/customer-12345678', '/v1/files/file-of-the-caller']) {
    expect([path, await get(two, path)]).toMatchObject([path, { by: 'a' }])
  }
})

test('ids in answers to GETs are remembered: what a batch has put out, what a list holds, what a job has made', async () => {
  const two = await twoWith(
    {
      'GET /v1/batches/batch_12345678': {
        id: 'batch_12345678',
        output_file_id: 'file-out12345',
        error_file_id: 'file-err12345',
      },
      'GET /v1/batches': { data: [{ id: 'batch_87654321', output_file_id: 'file-out54321' }] },
    },
    'chunked',
    { pins: { batches: 'b' } },
  )
  await get(two, '/v1/batches/batch_12345678')
  await get(two, '/v1/batches')
  for (const id of ['file-out12345', 'file-err12345', 'file-out54321']) {
    expect([id, await get(two, `/v1/files/${id}/content`)]).toMatchObject([id, { by: 'b' }])
  }
})

test('an object that is made is known by where it is said to be, too', async () => {
  const two = await start({
    upstreams: {
      a: answering('a', {}),
      b: async (request, connection) => {
        await request.body
        if (request.method === 'GET' || request.target.includes('rtc_')) return connection.json({ by: 'b' })
        connection.respond(
          201,
          { location: '/v1/realtime/calls/rtc_12345678', 'content-type': 'application/sdp' },
          'v=0',
        )
      },
    },
    file: { pins: { realtime: 'b' } },
  })
  const sdp = { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: 'v=0' }
  await (await fetch(`${two.url}/v1/realtime/calls`, sdp)).text()
  expect(await get(two, '/v1/things?call_id=rtc_12345678')).toEqual({ by: 'b' })
})

test('what a caller has put into an object of its own moves nobody else’s, wherever it is repeated', async () => {
  const theirs = 'file-somebody-elses'
  const echo = {
    id: 'resp_12345678',
    metadata: { file_id: theirs },
    tools: [{ type: 'file_search', vector_store_ids: [theirs] }],
    instructions: [{ id: theirs }],
    input_file_id: theirs,
    output: [
      { type: 'function_call', arguments: { file_id: theirs }, call_id: theirs },
      { type: 'message', role: 'user', content: [{ type: 'input_file', file_id: theirs }] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: `{"file_id":"${theirs}"}` }] },
    ],
  }
  const two = await twoWith({ 'POST /v1/responses': echo })
  await (await two.chat({ model: 'mb', input_file_id: theirs }, {}, '/v1/responses')).text()
  expect(await get(two, `/v1/files/${theirs}`)).toMatchObject({ by: 'a' })
})

test('an id of the caller’s own choice is not taken for that of an object, wherever the answer has it', async () => {
  const two = await twoWith({ 'POST /v1/responses': { id: 'resp_somebody-elses' } })
  await (await two.chat({ model: 'mb', id: 'resp_somebody-elses' }, {}, '/v1/responses')).text()
  expect(await get(two, '/v1/responses/resp_somebody-elses')).toMatchObject({ by: 'a' })
})

test('an object that is asked for by its id is known where it is found', async () => {
  const found = { 'GET /v1/responses/resp_12345678': { id: 'resp_12345678', status: 'completed' } }
  const two = await twoWith(found, 'json', { pins: { responses: 'b' } })
  await get(two, '/v1/responses/resp_12345678')
  expect(await (await two.chat({ previous_response_id: 'resp_12345678' }, {}, '/v1/things')).json()).toMatchObject({
    by: 'b',
  })
})

test('a model that a job has made is asked where the job was, unless models say otherwise', async () => {
  const job = {
    'GET /v1/fine_tuning/jobs/ftjob-12345678': { id: 'ftjob-12345678', fine_tuned_model: 'ft:gpt-4o:us::1' },
  }
  const pins = { fine_tuning: 'b' }
  const two = await twoWith(job, 'json', { pins })
  await get(two, '/v1/fine_tuning/jobs/ftjob-12345678')
  expect(await (await two.chat({ model: 'ft:gpt-4o:us::1' })).json()).toMatchObject({ by: 'b' })
  const told = await twoWith(job, 'json', { pins, models: { 'ft:*': { targets: [{ upstream: 'a' }] } } })
  await get(told, '/v1/fine_tuning/jobs/ftjob-12345678')
  expect(await (await told.chat({ model: 'ft:gpt-4o:us::1' })).json()).toMatchObject({ by: 'a' })
})

test('an object that is known stays where it is, whatever another upstream says', async () => {
  const two = await start({
    upstreams: {
      a: answering('a', { 'POST /v1/files': { id: 'file-12345678' } }),
      b: answering('b', { 'POST /v1/responses': { id: 'resp_12345678', output: [{ file_id: 'file-12345678' }] } }),
    },
    file: { models: { mb: { targets: [{ upstream: 'b' }] } }, pins: { responses: 'b' } },
  })
  await (await two.chat({}, {}, '/v1/files')).text()
  await (await two.chat({ model: 'mb' }, {}, '/v1/responses')).text()
  expect(await get(two, '/v1/files/file-12345678')).toMatchObject({ by: 'a' })
})

test('the content of a file is not looked into: it is the caller’s', async () => {
  const content = { 'GET /v1/files/file-12345678/content': { id: 'resp_12345678', output_file_id: 'file-87654321' } }
  const two = await twoWith(content, 'json', { default_upstream: 'a', pins: { files: 'b' } })
  const encoded = await fetch(`${two.url}/v1/files/file-12345678/content`, {
    headers: { 'accept-encoding': 'gzip' },
  })
  expect(await encoded.text()).toContain('resp_12345678')
  expect(lastRequest(two.upstreams.b).header('accept-encoding')).toBe('gzip')
  expect(await get(two, '/v1/responses/resp_12345678')).toMatchObject({ by: 'a' })
})

test('a resource is pinned to one key of a pool', async () => {
  const two = await start({
    upstreams: { a: answering('a', {}), b: answering('b', {}) },
    settings: { a: { api_keys: KEYS } },
    file: { pins: { batches: 'a#2', files: 'a' } },
  })
  for (let turn = 0; turn < 3; turn += 1) {
    expect(await get(two, '/v1/batches')).toEqual({ by: 'a', key: `Bearer ${KEYS[1]}` })
  }
  const keys = [await get(two, '/v1/files'), await get(two, '/v1/files')]
  expect(keys).toContainEqual({ by: 'a', key: `Bearer ${KEYS[0]}` })
})
