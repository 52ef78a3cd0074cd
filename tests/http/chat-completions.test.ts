import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openAiPreset } from '../helpers/openai-preset.ts'
import { postText, sendRaw } from '../helpers/raw-client.ts'
import { all, answersOf, statusAndCode } from '../helpers/received-answers.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

let upstream: ScriptedUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startScriptedUpstream((_request, connection) =>
    connection.json({ id: 'x', object: 'chat.completion' }),
  )
  gateway = await startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1`, OPENAI_MODEL: 'the-default' } })
})

afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

test('a chat completion goes upstream as the very bytes received', async () => {
  const body =
    '{ "messages" : [{"role":"user","content":"\\u4f60\\ud83d"}], "seed":90071992547409931234, "model":"m","model":"gpt-4o", "temperature":1.0 }'
  const response = await sendRaw(
    gateway.port,
    postText('/v1/chat/completions', body, { Authorization: 'Bearer sk-mine' }),
  )
  expect(response.json()).toEqual({ id: 'x', object: 'chat.completion' })
  const received = upstream.requests.at(-1)
  expect(new TextDecoder().decode(await received?.body)).toBe(body)
  expect(received?.header('authorization')).toBe('Bearer sk-mine')
})

test('a chat completion that names no model gets OPENAI_MODEL and keeps every other byte', async () => {
  const body = '\n{ "messages":[{"role":"user","content":"hi"}] }'
  await sendRaw(gateway.port, postText('/chat/completions', body, { Authorization: 'Bearer sk-mine' }))
  const received = upstream.requests.at(-1)
  expect(received?.target).toBe('/v1/chat/completions')
  expect(new TextDecoder().decode(await received?.body)).toBe(
    '\n{"model":"the-default", "messages":[{"role":"user","content":"hi"}] }',
  )
})

const KEY = { Authorization: 'Bearer sk-mine' }
const MESSAGES = '"messages":[{"role":"user","content":"hi"}]'

function chat(body: string): string {
  return postText('/v1/chat/completions', body, KEY)
}

test('unknown fields, new roles and new content parts pass', async () => {
  const bodies = [
    `{"model":"m",${MESSAGES},"brand_new":{"a":[1,null]},"x":null}`,
    '{"model":"m","messages":[{"role":"oracle","content":"hi","mood":"good"}]}',
    '{"model":"m","messages":[{"role":"user","content":[{"type":"hologram","hologram":{"id":"h"}}]}]}',
    `{"model":"m",${MESSAGES},"tools":[{"type":"telepathy","telepathy":{}}],"tool_choice":{"type":"telepathy"}}`,
    `{"model":"m",${MESSAGES},"response_format":{"type":"poem","lines":4}}`,
    `{"model":"m",${MESSAGES},"reasoning_effort":"extreme","service_tier":"warp","verbosity":"x"}`,
  ]
  for (const body of bodies) {
    expect(statusAndCode(await sendRaw(gateway.port, chat(body)))).toBe('200')
    expect(new TextDecoder().decode(await lastRequest(upstream).body)).toBe(body)
  }
})

test('ranges, model rules and combinations are for the upstream to judge', async () => {
  const fields = [
    '"temperature":99',
    '"top_p":-1',
    '"n":100000',
    '"max_tokens":1,"max_completion_tokens":2',
    '"presence_penalty":-7.5',
    '"logprobs":false,"top_logprobs":99',
    '"stream":false,"stream_options":{"include_usage":true}',
    '"tool_choice":"required"',
    '"stop":["a","b","c","d","e"]',
    '"metadata":{"k":"v"}',
    '"temperature":null,"top_p":null,"n":null,"stop":null,"stream":null,"seed":null,"max_tokens":null',
    '"model":""',
  ]
  const requests = Object.fromEntries(fields.map((field) => [field, chat(`{"model":"m",${MESSAGES},${field}}`)]))
  expect(await answersOf(gateway.port, requests, statusAndCode)).toEqual(all(fields, '200'))
})

test('not JSON, or JSON that is no object, gets the 400 of OpenAI and reaches no upstream', async () => {
  const bodies = [
    '',
    ' ',
    '{',
    'x',
    '[]',
    'null',
    '"x"',
    '1',
    '{}{}',
    "{'a':1}",
    '{"a":1,}',
    '{"a":NaN}',
    '{"a":01}',
    '//x\n{}',
  ]
  const raw = [Buffer.from([0x7b, 0xff, 0x7d]), Buffer.from('{"a":1}', 'utf16le'), Buffer.from('{"a":"\t"}')]
  const head = (length: number): Buffer =>
    Buffer.from(chat('').replace('Content-Length: 0', `Content-Length: ${length}`))
  const requests = Object.fromEntries(
    [...bodies.map((body) => Buffer.from(body)), ...raw].map((body) => [
      body.toString('latin1'),
      Buffer.concat([head(body.byteLength), body]),
    ]),
  )
  const before = upstream.requests.length
  const answers = await answersOf(gateway.port, requests, (response) => [response.status, response.json()])
  const error = {
    message: expect.stringMatching(/^We could not parse the JSON body of your request\. /),
    type: 'invalid_request_error',
    param: null,
    code: null,
  }
  expect(answers).toEqual(all(Object.keys(requests), [400, { error }]))
  expect(upstream.requests).toHaveLength(before)
})

test('messages that are missing or empty, and known fields of the wrong type, are refused as OpenAI does, before OpenAI', async () => {
  const cases: Record<string, [param: string, code: string]> = {
    '{}': ['messages', 'missing_required_parameter'],
    '{"model":"m"}': ['messages', 'missing_required_parameter'],
    '{"model":"m","messages":[]}': ['messages', 'empty_array'],
    '{"model":"m","messages":"hi"}': ['messages', 'invalid_type'],
    '{"model":"m","messages":null}': ['messages', 'invalid_type'],
    '{"model":"m","messages":["hi"]}': ['messages[0]', 'invalid_type'],
    [`{"model":7,${MESSAGES}}`]: ['model', 'invalid_type'],
    [`{"model":"m",${MESSAGES},"temperature":"hot"}`]: ['temperature', 'invalid_type'],
    [`{"model":"m",${MESSAGES},"stream":"yes"}`]: ['stream', 'invalid_type'],
    [`{"model":"m",${MESSAGES},"max_tokens":1.5}`]: ['max_tokens', 'invalid_type'],
    [`{"model":"m",${MESSAGES},"tools":{}}`]: ['tools', 'invalid_type'],
  }
  const before = upstream.requests.length
  const preset = openAiPreset()
  const openai = await startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1`, NEXCODE_CONFIG: preset.path } })
  for (const [body, [param, code]] of Object.entries(cases)) {
    const answer = await sendRaw(openai.port, chat(body))
    const error = { message: expect.stringContaining(`'${param}'`), type: 'invalid_request_error', param, code }
    expect([body, answer.status, answer.json()]).toEqual([body, 400, { error }])
  }
  expect(upstream.requests).toHaveLength(before)
  await openai.stop()
  preset.remove()
})

test('a form where JSON belongs is refused by its content type; JSON of any content type is read', async () => {
  const form = postText('/v1/chat/completions', '--b\r\n\r\n--b--', {
    ...KEY,
    'Content-Type': 'multipart/form-data; boundary=b',
  })
  expect(statusAndCode(await sendRaw(gateway.port, form))).toBe('400 unsupported_content_type')
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-8', '']) {
    const body = `{"model":"m",${MESSAGES}}`
    const answer = await sendRaw(gateway.port, postText('/v1/chat/completions', body, { ...KEY, 'Content-Type': type }))
    expect([type, answer.status]).toEqual([type, 200])
  }
})

test('deeply nested JSON is forwarded, and far too deep JSON ends no process', async () => {
  const nested = (depth: number): string => `{"model":"m",${MESSAGES},"zz":${'['.repeat(depth)}${']'.repeat(depth)}}`
  expect((await sendRaw(gateway.port, chat(nested(1000)))).status).toBe(200)
  expect(new TextDecoder().decode(await lastRequest(upstream).body)).toBe(nested(1000))
  expect([200, 413]).toContain((await sendRaw(gateway.port, chat(nested(500_000)))).status)
  expect((await sendRaw(gateway.port, chat(nested(1)))).status).toBe(200)
})

test('the same route answers without /v1, with a query, and with a slash behind', async () => {
  for (const [target, expected] of [
    ['/chat/completions', '/v1/chat/completions'],
    ['/chat/completions?api-version=1', '/v1/chat/completions?api-version=1'],
    ['/v1/chat/completions/', '/v1/chat/completions/'],
  ] as const) {
    expect((await sendRaw(gateway.port, postText(target, `{"model":"m",${MESSAGES}}`, KEY))).status).toBe(200)
    expect(lastRequest(upstream).target).toBe(expected)
  }
})

test('an inserted model is counted in the Content-Length, and a chunked body stays whole', async () => {
  const body = `{${MESSAGES}}`
  const chunked = `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nTransfer-Encoding: chunked\r\n\r\n${[...body].map((char) => `1\r\n${char}\r\n`).join('')}0\r\n\r\n`
  const expected = `{"model":"the-default",${MESSAGES}}`
  for (const bytes of [chat(body), chunked]) {
    expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
    const request = lastRequest(upstream)
    expect(new TextDecoder().decode(await request.body)).toBe(expected)
    expect(request.header('content-length')).toBe(String(expected.length))
    expect(request.header('transfer-encoding')).toBeUndefined()
  }
})
