import { expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { postText, sendRaw } from '../helpers/raw-client.ts'
import { errorOf, refusalOf } from '../helpers/received-answers.ts'
import { lastBody } from '../helpers/received-requests.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

function withRules(...params: readonly object[]) {
  return { upstreams: { only: answerOk }, file: { params } }
}

const REFUSALS = [
  [
    'deny',
    { deny: ['logit_bias'] },
    { logit_bias: {} },
    ["Parameter 'logit_bias' is not allowed by this server.", 'logit_bias', 'parameter_not_allowed'],
  ],
  [
    'deny, within',
    { deny: ['response_format.json_schema'] },
    { response_format: { type: 'json_schema', json_schema: {} } },
    [
      "Parameter 'response_format.json_schema' is not allowed by this server.",
      'response_format.json_schema',
      'parameter_not_allowed',
    ],
  ],
  [
    'allow',
    { allow: ['model', 'messages'] },
    { seed: 1 },
    ["Parameter 'seed' is not allowed by this server.", 'seed', 'parameter_not_allowed'],
  ],
  ['require', { require: ['user'] }, {}, ["Missing required parameter: 'user'.", 'user', 'missing_required_parameter']],
  [
    'values',
    { values: { 'response_format.type': ['text', 'json_object'] } },
    { response_format: { type: 'json_schema' } },
    [
      "Unsupported value: 'json_schema' is not supported with this server. Supported values are: 'text', 'json_object'.",
      'response_format.type',
      'unsupported_value',
    ],
  ],
  [
    'clamp of what is no number',
    { clamp: { top_k: { max: 5 } } },
    { top_k: '9' },
    ["Invalid type for 'top_k': expected a number, but got a string instead.", 'top_k', 'invalid_type'],
  ],
  [
    'clamp within what is no object',
    { clamp: { 'reasoning.budget': { max: 5 } } },
    { reasoning: 'high' },
    [
      "This server's rule for 'reasoning.budget' cannot be applied, because 'reasoning' is not an object.",
      'reasoning.budget',
      'rules_not_applicable',
    ],
  ],
] as const

test.each(REFUSALS)(
  '%s: a 400 of OpenAI’s shape that names the parameter, on every endpoint, and nothing goes upstream',
  async (_operation, rule, parameters, [message, param, code]) => {
    const gateway = await start(withRules(rule))
    const paths = ['/v1/chat/completions', '/v1/responses', '/v1/embeddings']
    for (const path of paths) {
      const response = await gateway.chat({ model: 'm', ...parameters }, {}, path)
      expect(response.headers.get('content-type')).toStartWith('application/json')
      expect(response.headers.get('x-request-id')).toStartWith('req_')
      expect(await errorOf(response)).toEqual([400, { message, type: 'invalid_request_error', param, code }])
    }
    expect(gateway.upstreams.only.requests).toHaveLength(0)
    expect(await gateway.exchange(3)).toMatchObject({ status: 400, attempts: 0 })
  },
)

test('a body that is no object has no parameters to apply a rule to, and is refused', async () => {
  const { chat, upstreams } = await start(withRules({ deny: ['user'] }))
  for (const body of ['[{"user":1}]', '"user"', 'null', '1']) {
    expect(await errorOf(await chat(body, {}, '/v1/embeddings'))).toMatchObject([
      400,
      { param: null, code: 'rules_not_applicable' },
    ])
  }
  for (const body of ['', '{', '{"a":1}x']) {
    expect(await errorOf(await chat(body || ' ', {}, '/v1/embeddings'))).toMatchObject([400, { code: null }])
  }
  expect(upstreams.only.requests).toHaveLength(0)
})

test('what rules deny, list, drop or set is not taken in extra_body, which some servers lay over the body', async () => {
  const rule = { deny: ['logit_bias'], values: { service_tier: ['auto'] }, drop: ['seed'], overrides: { user: 'x' } }
  const gateway = await start({ upstreams: { only: answerOk }, file: { params: [rule] } })
  const fine = '{"user":"x","extra_body":{"top_k":5,"logprobs":{"seed":1}}}'
  expect((await sendRaw(gateway.port, postText('/v1/chat/completions', fine))).status).toBe(200)
  expect(await lastBody(gateway.upstreams.only)).toBe(fine)
  for (const [text, param] of [
    ['{"extra_body":{"logit_bias":{"1":1}}}', 'extra_body.logit_bias'],
    ['{"extra_body":{"Logit-Bias":null}}', 'extra_body.Logit-Bias'],
    ['{"extra_body":{"service_tier":"priority"}}', 'extra_body.service_tier'],
    ['{"extra_body":{"seed":1}}', 'extra_body.seed'],
    ['{"extra_body":{"user":"y"}}', 'extra_body.user'],
    ['{"extra_body":{"user":"y"},"extra_body":{}}', 'extra_body'],
  ] as const) {
    const refused = await refusalOf(gateway.port, postText('/v1/chat/completions', text))
    expect(refused).toEqual({ status: 400, param, code: 'rules_not_applicable' })
  }
  expect(gateway.upstreams.only.requests).toHaveLength(1)
})

test('on_violation: drop takes out what is not admitted, and every other byte goes on', async () => {
  const { chat, upstreams } = await start(
    withRules({ deny: ['logit_bias'], values: { service_tier: ['flex'] }, on_violation: 'drop' }),
  )
  const body =
    '{ "model":"m","logit_bias":{"1": 2} , "service_tier":"priority","messages":[{"role":"user","content":"hi"}]}'
  expect((await chat(body)).status).toBe(200)
  expect(JSON.parse(await lastBody(upstreams.only))).toEqual({ model: 'm', messages: MESSAGES })
  const admitted = '{ "model":"m", "service_tier" : "flex","messages":[{"role":"user","content":"hi"}]}'
  await chat(admitted)
  expect(await lastBody(upstreams.only)).toBe(admitted)
})

test('x-nexcode-params says what was done, names only, when debug_headers is on', async () => {
  const rule = {
    ...{
      defaults: { temperature: 0.7 },
      overrides: { user: 'canary-of-the-server' },
      clamp: { max_tokens: { max: 1500 } },
    },
    ...{ drop: ['seed'], rename: { functions: 'tools' } },
  }
  const { chat } = await start({ upstreams: { only: answerOk }, file: { debug_headers: true, params: [rule] } })
  const sent = { model: 'm', max_tokens: 5000, seed: 1, user: 'me', functions: [] }
  const done = 'rename=functions; drop=seed; defaults=temperature; overrides=user; clamp=max_tokens'
  for (const path of ['/v1/chat/completions', '/v1/responses']) {
    const response = await chat(sent, {}, path)
    expect(response.headers.get('x-nexcode-params')).toBe(done)
    expect(response.headers.get('x-nexcode-upstream')).toBe('only')
  }
  const nothing = await chat({ model: 'm', max_tokens: 5, temperature: 1, user: 'canary-of-the-server' })
  expect(nothing.headers.has('x-nexcode-params')).toBe(false)
})

test('x-nexcode-params is absent where debug_headers is off, though the rules were applied', async () => {
  for (const file of [{}, { debug_headers: false }]) {
    const params = [{ clamp: { max_tokens: { max: 1500 } } }]
    const env: Record<string, string> = 'debug_headers' in file ? { DEBUG_HEADERS: 'true' } : {}
    const { chat, upstreams } = await start({ upstreams: { only: answerOk }, file: { ...file, params }, env })
    const response = await chat({ model: 'm', max_tokens: 5000 })
    expect([...response.headers.keys()].filter((name) => name.startsWith('x-nexcode'))).toEqual([])
    expect(JSON.parse(await lastBody(upstreams.only))).toMatchObject({ max_tokens: 1500 })
  }
})

test('a body over MAX_JSON_BYTES is refused where a rule has a say in it, and passes where none has', async () => {
  const env = { MAX_JSON_BYTES: '2000' }
  const params = [{ match: { endpoint: 'responses' }, clamp: { max_tokens: { max: 1500 } } }]
  const gateway = await start({ upstreams: { only: answerOk }, file: { params }, env })
  const large = JSON.stringify({ model: 'm', input: 'x'.repeat(3000) })
  expect(await errorOf(await gateway.chat(large, {}, '/v1/responses'))).toMatchObject([
    413,
    { message: 'Maximum content size limit (2000) exceeded.', code: 'request_too_large' },
  ])
  const inChunks = await fetch(`${gateway.url}/v1/responses`, {
    method: 'POST',
    body: new Blob([large]).stream(),
    headers: { 'content-type': 'application/json' },
  })
  expect(inChunks.status).toBe(413)
  const bomb = Bun.gzipSync(Buffer.from(large))
  const encoded = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  const decoded = await fetch(`${gateway.url}/v1/responses`, { method: 'POST', body: bomb, headers: encoded })
  expect([bomb.byteLength < 2000, decoded.status]).toEqual([true, 413])
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  expect((await gateway.chat(large, {}, '/v1/embeddings')).status).toBe(200)
  expect(await lastBody(gateway.upstreams.only)).toBe(large)
})
