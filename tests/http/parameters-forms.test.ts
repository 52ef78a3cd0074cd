import { expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { sendRaw } from '../helpers/raw-client.ts'
import { refusalOf } from '../helpers/received-answers.ts'
import { lastBody, lastRequest } from '../helpers/received-requests.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const BOUNDARY = 'x-boundary-1'
const FORM = { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` }
const FILE = ['file"; filename="a.wav', '\u0000\u0001RIFF\r\n--x-bound\r\n\u00ff'] as const

/** A form as a client would write it. */
function formOf(...fields: readonly (readonly [name: string, text: string])[]): string {
  const parts = fields.map(
    ([name, text]) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`,
  )
  return `${parts.join('')}--${BOUNDARY}--\r\n`
}

function post(path: string, body: string, headers: Readonly<Record<string, string>>): Buffer {
  const bytes = Buffer.from(body, 'latin1')
  const lines = Object.entries({ Host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `POST ${path} HTTP/1.1\r\n${lines.join('')}Content-Length: ${bytes.byteLength}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), bytes])
}

function withRules(...params: readonly object[]) {
  return { upstreams: { only: answerOk }, file: { params } }
}

test('a form that satisfies the rules goes on byte for byte, file and all', async () => {
  const gateway = await start(
    withRules({
      clamp: { temperature: { max: 0.5 } },
      values: { response_format: ['json', 'text'] },
      require: ['model'],
      deny: ['prompt'],
      overrides: { language: 'en' },
    }),
  )
  const form = formOf(['model', 'whisper-1'], ['temperature', '0.50'], ['language', 'en'], FILE, [
    'response_format',
    'json',
  ])
  for (const path of ['/v1/audio/transcriptions', '/v1/files', '/v1/things/new']) {
    const response = await fetch(gateway.url + path, {
      method: 'POST',
      headers: FORM,
      body: Buffer.from(form, 'latin1'),
    })
    expect(response.status).toBe(200)
    const request = lastRequest(gateway.upstreams.only)
    expect(Buffer.from(await request.body).toString('latin1')).toBe(form)
    expect(request.header('content-length')).toBe(String(form.length))
    expect(request.header('content-type')).toBe(FORM['Content-Type'])
  }
})

test.each([
  [
    'a number above its bound',
    { clamp: { temperature: { max: 0.5 } } },
    ['temperature', '0.9'],
    'temperature',
    'rules_not_applicable',
  ],
  [
    'a number whose digits say more than its exponent leaves',
    { clamp: { temperature: { max: 0.5 } } },
    ['temperature', '400e-3'],
    'temperature',
    'invalid_type',
  ],
  ['the same for one that is listed', { values: { n: [4] } }, ['n', '40e-1'], 'n', 'unsupported_value'],
  ['a number below zero', { clamp: { n: { max: 4 } } }, ['n', '-1'], 'n', 'integer_below_min_value'],
  [
    'a text where a number belongs',
    { clamp: { temperature: { max: 0.5 } } },
    ['temperature', 'hot'],
    'temperature',
    'invalid_type',
  ],
  ['a parameter that is denied', { deny: ['prompt'] }, ['prompt', 'x'], 'prompt', 'parameter_not_allowed'],
  ['one that is to be dropped', { drop: ['prompt'] }, ['prompt', 'x'], 'prompt', 'rules_not_applicable'],
  ['one that is not among the allowed', { allow: ['model', 'file'] }, ['seed', '1'], 'seed', 'parameter_not_allowed'],
  [
    'a value that is not listed',
    { values: { response_format: ['json'] } },
    ['response_format', 'srt'],
    'response_format',
    'unsupported_value',
  ],
  [
    'a default that would have to be put in',
    { defaults: { language: 'en' } },
    ['seed', '1'],
    'language',
    'rules_not_applicable',
  ],
  [
    'another value than the fixed one',
    { overrides: { language: 'en' } },
    ['language', 'de'],
    'language',
    'rules_not_applicable',
  ],
  ['a missing parameter', { require: ['language'] }, ['seed', '1'], 'language', 'missing_required_parameter'],
  [
    'a field that is there twice',
    { deny: ['prompt'], values: { seed: [1] } },
    ['seed', '1'],
    'seed',
    'rules_not_applicable',
  ],
] as const)('a form with %s is refused, and nothing goes upstream', async (what, rule, field, param, code) => {
  const gateway = await start(withRules(rule))
  const fields = what === 'a field that is there twice' ? [field, field] : [field]
  const form = formOf(['model', 'whisper-1'], ...fields, FILE)
  for (const path of ['/v1/audio/transcriptions', '/v1/images/edits', '/v1/files']) {
    expect(await refusalOf(gateway.port, post(path, form, FORM))).toEqual({ status: 400, param, code })
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('a rule that is narrowed by endpoint leaves uploads alone, well-formed or not', async () => {
  const gateway = await start(
    withRules({ match: { endpoint: 'chat/completions' }, deny: ['purpose'], require: ['user'] }),
  )
  for (const [type, body] of [
    [FORM['Content-Type'], formOf(['purpose', 'batch'], FILE)],
    [FORM['Content-Type'], 'no form at all'],
    ['application/octet-stream', 'bytes'],
    ['application/json', '{"purpose":'],
  ] as const) {
    const response = await fetch(`${gateway.url}/v1/files`, { method: 'POST', headers: { 'content-type': type }, body })
    expect(response.status).toBe(200)
    expect(Buffer.from(await lastRequest(gateway.upstreams.only).body).toString('utf8')).toBe(body)
  }
})

test('a rule for a model looks at the form’s own model field', async () => {
  const gateway = await start(withRules({ match: { model: 'whisper-*' }, deny: ['prompt'] }))
  const path = '/v1/audio/transcriptions'
  const prompt = ['prompt', 'x'] as const
  const refused = await refusalOf(gateway.port, post(path, formOf(FILE, prompt, ['model', 'whisper-1']), FORM))
  expect(refused).toMatchObject({ status: 400, param: 'prompt' })
  const twice = formOf(['model', 'other'], prompt, ['model', 'whisper-1'])
  expect(await refusalOf(gateway.port, post(path, twice, FORM))).toMatchObject({ status: 400, param: 'model' })
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  const other = formOf(['model', 'gpt-4o-transcribe'], prompt)
  await fetch(gateway.url + path, { method: 'POST', headers: FORM, body: other })
  expect(await lastBody(gateway.upstreams.only)).toBe(other)
})

test.each([
  ['application/octet-stream', 'bytes', {}],
  ['audio/wav', 'RIFF', {}],
  ['application/sdp', 'v=0', {}],
  ['multipart/form-data', formOf(FILE), {}],
  ['multipart/form-data; boundary=other', formOf(FILE), {}],
  ['multipart/mixed; boundary=x-boundary-1', formOf(FILE), {}],
  [FORM['Content-Type'], `preamble\r\n${formOf(FILE)}`, {}],
  [FORM['Content-Type'], formOf(FILE), { 'Content-Encoding': 'gzip' }],
] as const)('a body of type %s that can’t be read is refused where a rule matches', async (type, body, more) => {
  const gateway = await start(withRules({ clamp: { max_tokens: { max: 9 } } }))
  const bytes = post('/v1/audio/transcriptions', body, { 'Content-Type': type, ...more })
  expect(await refusalOf(gateway.port, bytes)).toEqual({ status: 400, param: null, code: 'rules_not_applicable' })
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('JSON under the name of a form, of text or of no type at all is JSON to the rules', async () => {
  const gateway = await start(withRules({ clamp: { max_tokens: { max: 9 } } }))
  for (const type of [
    'application/x-www-form-urlencoded',
    'text/plain;charset=UTF-8',
    'application/vnd.x+json',
    undefined,
  ]) {
    const body = '{"max_tokens": 100}'
    const client = post('/v1/responses', body, type === undefined ? {} : { 'Content-Type': type })
    expect((await sendRaw(gateway.port, client)).status).toBe(200)
    expect(await lastBody(gateway.upstreams.only)).toBe('{"max_tokens": 9}')
  }
})
