import { expect, test } from 'bun:test'
import { batchLine, CAP, REFUSING } from '../helpers/batches.ts'
import { perTest } from '../helpers/per-test.ts'
import { postText, sendRaw } from '../helpers/raw-client.ts'
import { refusalOf } from '../helpers/received-answers.ts'
import { lastBody } from '../helpers/received-requests.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'

const start = perTest(startGateway)

const CHAT = '/v1/chat/completions'

/** Answers with the content of files, in chunks of a few bytes, and with an id else. */
function filesOf(files: Readonly<Record<string, string>>, chunkBytes = 1000): Script {
  return async ({ method, target, body }, connection) => {
    await body
    const [, id = ''] = /^\/v1\/files\/([^/]+)\/content/.exec(target) ?? []
    const content = files[decodeURIComponent(id)]
    if (method === 'POST') return connection.json({ id: 'batch_1', object: 'batch', status: 'validating' })
    if (content === undefined) return connection.json({ error: { message: 'No such file' } }, 404)
    const bytes = Buffer.from(content)
    connection.startChunked(200, { 'content-type': 'application/octet-stream' })
    for (let at = 0; at < bytes.length; at += chunkBytes) connection.chunk(bytes.subarray(at, at + chunkBytes))
    connection.endChunks()
  }
}

function batch(members: object | string, path = 'batches'): string {
  return postText(`/v1/${path}`, typeof members === 'string' ? members : JSON.stringify(members))
}

const fine = batchLine({ model: 'plain', max_tokens: 100, seed: 1 })
const long = batchLine({
  model: 'plain',
  max_tokens: 5,
  seed: 1,
  messages: [{ role: 'user', content: 'é'.repeat(5000) }],
})

test('a batch is made of a file whose lines are what the rules allow, and goes to the upstream that has it', async () => {
  const content = `\uFEFF${fine}\n\n${long}\r\n${fine}`
  const script = filesOf({ 'file-1': content }, 7)
  const gateway = await start({ upstreams: { only: script }, file: { ...CAP, ...REFUSING } })
  const bytes = batch({ input_file_id: 'file-1', endpoint: CHAT, completion_window: '24h' }, 'batches?x=1')
  expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
  expect(gateway.upstreams.only.requests.map(({ method, target }) => `${method} ${target}`)).toEqual([
    'GET /v1/files/file-1/content?x=1',
    'POST /v1/batches?x=1',
  ])
  expect(bytes).toEndWith(await lastBody(gateway.upstreams.only))
  const [file] = gateway.upstreams.only.requests
  expect(file?.header('content-type')).toBeUndefined()
  expect(file?.header('content-length')).toBeUndefined()
})

test.each([
  ['a cap that is too large', `${fine}\n${batchLine({ model: 'plain', max_tokens: 101, seed: 1 })}`, 'input_file_id'],
  ['what a default is missing in', batchLine({ model: 'plain' }), 'input_file_id'],
  ['a cap that is none', `${fine}\n${batchLine({ model: 'plain', max_tokens: -1, seed: 1 })}`, 'line 2: max_tokens'],
  ['a model that stands for another one', batchLine({ model: 'smart', seed: 1 }), 'line 1: body.model'],
  ['an endpoint that is not the batch’s', batchLine({ model: 'plain', input: 'x' }, '/v1/embeddings'), 'line 1: url'],
  ['a line that nobody can read', `${fine}\n{"url":"${CHAT}","body":{"model":"dear"`, 'line 2: body'],
  [
    'a call that some readers find in a line',
    fine.replace('{', `{"x":\r${batchLine({ model: 'dear', seed: 1 })}\r,`),
    'line 1: body',
  ],
])('a batch of a file with %s is refused, however that has come to the upstream', async (_what, content, param) => {
  const script = filesOf({ 'file-1': content }, 3)
  const gateway = await start({ upstreams: { only: script }, file: { ...CAP, ...REFUSING } })
  const refused = await refusalOf(gateway.port, batch({ input_file_id: 'file-1', endpoint: CHAT }))
  expect(refused).toMatchObject({ status: 400, param })
  expect(gateway.upstreams.only.requests.map(({ method }) => method)).toEqual(['GET'])
})

test('a model that nobody may use is one in a batch’s file, too', async () => {
  const script = filesOf({ f: batchLine({ model: 'dear', seed: 1 }) })
  const gateway = await start({ upstreams: { only: script }, file: REFUSING })
  expect((await refusalOf(gateway.port, batch({ input_file_id: 'f' }))).status).toBe(404)
  expect((await refusalOf(gateway.port, batch({ input_files: ['f'], model: 'plain' }, 'batch/jobs'))).status).toBe(404)
  expect(gateway.upstreams.only.requests.map(({ method }) => method)).toEqual(['GET', 'GET'])
})

test('lines without a url are of the batch’s own endpoint', async () => {
  const line = JSON.stringify({ custom_id: '1', body: { model: 'plain', max_tokens: 101, seed: 1 } })
  const gateway = await start({ upstreams: { only: filesOf({ f: line }) }, file: CAP })
  const jobs = (endpoint: string): string => batch({ input_files: ['f'], endpoint }, 'batch/jobs')
  expect((await refusalOf(gateway.port, jobs(CHAT))).param).toBe('input_file_id')
  expect((await sendRaw(gateway.port, jobs('/v1/embeddings'))).status).toBe(200)
})

test('a batch whose files can’t be told or read is refused', async () => {
  const gateway = await start({ upstreams: { only: filesOf({ f: fine }) }, file: CAP })
  for (const [text, param] of [
    ['{"input_file_id":"gone"}', 'input_file_id'],
    ['{"input_file_id":"f","input_file_id":"g"}', 'input_file_id'],
    ['{"Input_File_Id":"f"}', 'Input_File_Id'],
    ['{"input_file_id":"../x"}', 'input_file_id'],
    ['{"input_file_id":".."}', 'input_file_id'],
    ['{"input_file_id":["f",5]}', 'input_file_id'],
    ['{"input_blob":"https://blobs.example/x"}', 'input_blob'],
    ['{"input_file_id":"f","Endpoint":"/v1/embeddings"}', 'Endpoint'],
  ] as const) {
    expect(await refusalOf(gateway.port, batch(text))).toEqual({ status: 400, param, code: 'rules_not_applicable' })
  }
  expect(gateway.upstreams.only.requests.filter(({ method }) => method === 'POST')).toHaveLength(0)
  const added = batch({ batch_requests: [{ batch_request: { chat: { model: 'm' } } }] }, 'batches/b/requests')
  expect(await refusalOf(gateway.port, added)).toMatchObject({ status: 400, code: 'rules_not_applicable' })
})

test('the batch goes where its file was read, not to another target', async () => {
  const gateway = await start({
    upstreams: { one: filesOf({}), two: filesOf({ f: fine }) },
    file: { ...CAP, default_upstream: 'two' },
  })
  expect((await sendRaw(gateway.port, batch({ input_file_id: 'f', endpoint: CHAT }))).status).toBe(200)
  expect([gateway.upstreams.one.requests.length, gateway.upstreams.two.requests.length]).toEqual([0, 2])
})

test('a file that breaks off makes no batch', async () => {
  const script: Script = async ({ method, body }, connection) => {
    await body
    if (method === 'POST') return connection.json({ id: 'batch_1' })
    connection.startChunked(200, {})
    connection.chunk(`${fine}\n`)
    connection.reset()
  }
  const gateway = await start({ upstreams: { only: script }, file: CAP })
  expect((await refusalOf(gateway.port, batch({ input_file_id: 'f' }))).status).toBe(502)
  expect(gateway.upstreams.only.requests).toHaveLength(1)
})

test('where nothing restricts the calls of a batch, its file is not read', async () => {
  const file = { params: [{ match: { endpoint: 'audio/speech' }, deny: ['voice'] }] }
  const gateway = await start({ upstreams: { only: filesOf({}) }, file })
  const bytes = batch({ input_file_id: 'f', endpoint: CHAT })
  expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
  expect(gateway.upstreams.only.requests.map(({ method }) => method)).toEqual(['POST'])
})
