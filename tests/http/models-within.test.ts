import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { perTest } from '../helpers/per-test.ts'
import { postText, sendRaw } from '../helpers/raw-client.ts'
import { refusalOf } from '../helpers/received-answers.ts'
import { lastBody, lastRequest } from '../helpers/received-requests.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const CAP = [{ clamp: { max_tokens: { max: 100 } } }]
const ONLY = { upstreams: { only: answerOk } }
/** `smart` stands for another model, `plain` for itself. */
const REFUSING = {
  ...ONLY,
  file: {
    unknown_models: 'refuse',
    models: {
      smart: { targets: [{ upstream: 'only', model: 'real' }] },
      plain: { targets: [{ upstream: 'only' }] },
    },
  },
}

function post(path: string, body: object): string {
  return postText(`/v1/${path}`, JSON.stringify(body))
}

/** Places where a model stands beside a body's own. */
const PLACES: readonly (readonly [path: string, param: string, body: (model: unknown) => object])[] = [
  ['chat/completions', 'models', (model) => ({ model: 'plain', models: ['plain', model], messages: MESSAGES })],
  [
    'chat/completions',
    'fallbacks[0].model',
    (model) => ({ model: 'plain', fallbacks: [{ model }], messages: MESSAGES }),
  ],
  ['chat/completions', 'fallbacks', (m) => ({ model: 'plain', fallbacks: [{ plain: [m] }], messages: MESSAGES })],
  ['chat/completions', 'Draft-Model', (model) => ({ model: 'plain', 'Draft-Model': model, messages: MESSAGES })],
  ['chat/completions', 'extra_body.model', (model) => ({ model: 'plain', extra_body: { model }, messages: MESSAGES })],
  ['chat/completions', 'moderation.model', (model) => ({ model: 'plain', moderation: { model }, messages: MESSAGES })],
  [
    'responses',
    'tools[1].model',
    (model) => ({ model: 'plain', input: 'x', tools: [{}, { type: 'image_generation', model }] }),
  ],
  [
    'chat/completions',
    'tools[0].parameters.model',
    (model) => ({
      model: 'plain',
      messages: MESSAGES,
      tools: [{ type: 'router:draw', name: 'x', parameters: { model } }],
    }),
  ],
  ['chat/completions', 'models', (model) => ({ model: 'plain', models: { 0: 'plain', 1: model }, messages: MESSAGES })],
  ['chat/completions', 'azure_deployment', (name) => ({ model: 'plain', azure_deployment: name, messages: MESSAGES })],
  ...['engine', 'model_version', 'modelId', 'target_model_name', 'lora', 'adapters', 'llm', 'deployments'].map(
    (param) =>
      ['chat/completions', param, (name: unknown) => ({ model: 'plain', [param]: name, messages: MESSAGES })] as const,
  ),
  ['embeddings', 'extra_body.engine', (engine) => ({ model: 'plain', extra_body: { engine }, input: 'x' })],
  [
    'chat/completions',
    'model_group_alias',
    (model) => ({ model: 'plain', model_group_alias: { plain: model }, messages: MESSAGES }),
  ],
  ['chat/completions', 'adapter_id', (name) => ({ model: 'plain', adapter_id: name, messages: MESSAGES })],
  ['evals', 'testing_criteria[0].model', (model) => ({ testing_criteria: [{ type: 'score_model', model }] })],
  ['evals/eval_1/runs', 'data_source.model', (model) => ({ data_source: { type: 'completions', model } })],
  [
    'fine_tuning/jobs',
    'method.reinforcement.grader.model',
    (model) => ({ model: 'plain', method: { reinforcement: { grader: { model } } } }),
  ],
  [
    'messages/batches',
    'requests[0].params.model',
    (model) => ({ requests: [{ params: { model, messages: MESSAGES } }] }),
  ],
  ['vector_stores/vs_1/search', 'ranking_options.ranker', (ranker) => ({ query: 'x', ranking_options: { ranker } })],
  [
    'threads/runs',
    'thread.agents[0].deployment_id',
    (id) => ({ model: 'plain', thread: { agents: [{ deployment_id: id }] } }),
  ],
]

test('a model that is no text is looked into, and so are parameters of what is no function', async () => {
  const gateway = await start(REFUSING)
  const embedding = { embedding_dependency: { deployment_name: 'dear' } }
  for (const body of [
    { model: ['dear'] },
    { model: { id: 'dear' } },
    { model: 'plain', data_sources: [{ type: 'search', parameters: embedding }] },
    { model: 'plain', parameters: { model: 'dear' } },
  ]) {
    expect((await refusalOf(gateway.port, post('rerank', body))).status).toBe(404)
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('a model that stands in another place than a body’s own is refused as it is there', async () => {
  const gateway = await start(REFUSING)
  for (const [path, , body] of PLACES) {
    const refused = await refusalOf(gateway.port, post(path, body('dear')))
    expect([path, refused]).toEqual([path, { status: 404, param: null, code: 'model_not_found' }])
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('in such a place a name of another model is refused, and one that stands for itself goes on byte for byte', async () => {
  const gateway = await start(REFUSING)
  for (const [path, param, body] of PLACES) {
    const refused = await refusalOf(gateway.port, post(path, body('smart')))
    expect(refused).toEqual({ status: 400, param, code: 'rules_not_applicable' })
    const bytes = post(path, body('plain'))
    expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
    expect(bytes).toEndWith(await lastBody(gateway.upstreams.only))
  }
})

test('a model in such a place is subject to the rules for it, and so is all of its request', async () => {
  const gateway = await start({
    ...ONLY,
    file: { params: [{ match: { model: 'dear*' }, clamp: { max_tokens: { max: 100 } } }] },
  })
  for (const [path, , body] of PLACES) {
    if (path === 'messages/batches') continue
    const fine = post(path, { ...body('dear-1'), max_tokens: 100 })
    expect((await sendRaw(gateway.port, fine)).status).toBe(200)
    const seen = gateway.upstreams.only.requests.length
    const refused = await refusalOf(gateway.port, post(path, { ...body('dear-1'), max_tokens: 101 }))
    expect([path, refused.status, refused.code]).toEqual([path, 400, 'rules_not_applicable'])
    expect(gateway.upstreams.only.requests).toHaveLength(seen)
  }
})

test('values of a model hold wherever one is named', async () => {
  const gateway = await start({ ...ONLY, file: { params: [{ values: { model: ['plain'] } }] } })
  for (const [path, , body] of PLACES) {
    expect(await refusalOf(gateway.port, post(path, body('dear')))).toMatchObject({
      status: 400,
      code: 'unsupported_value',
    })
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

/** Places where a cap on tokens stands deeper than a rule leads. */
const CAPS: readonly (readonly [path: string, param: string, body: (cap: unknown) => object])[] = [
  [
    'evals/eval_1/runs',
    'data_source.sampling_params.max_completion_tokens',
    (cap) => ({ data_source: { sampling_params: { max_completion_tokens: cap } } }),
  ],
  [
    'evals',
    'testing_criteria[0].sampling_params.max_completions_tokens',
    (cap) => ({ testing_criteria: [{ sampling_params: { max_completions_tokens: cap } }] }),
  ],
  ['sessions', 'session.max_response_output_tokens', (cap) => ({ session: { max_response_output_tokens: cap } })],
  [
    'anything',
    'setup.generationConfig.maxOutputTokens',
    (cap) => ({ setup: { generationConfig: { maxOutputTokens: cap } } }),
  ],
  ['anything', 'a.b[0].Max-Tokens', (cap) => ({ a: { b: [{ 'Max-Tokens': cap }] } })],
]

test('a cap that stands deeper than a rule leads is no larger than the rule allows, and is not changed', async () => {
  const gateway = await start({ ...ONLY, file: { params: CAP } })
  for (const [path, param, body] of CAPS) {
    for (const cap of [101, 99_999, -1, 0, 'inf', '5', [5], true, { a: 1 }]) {
      const refused = await refusalOf(gateway.port, post(path, body(cap)))
      expect([path, cap, refused.status, refused.param]).toEqual([path, cap, 400, param])
    }
    const seen = gateway.upstreams.only.requests.length
    for (const cap of [100, 1, null]) {
      const bytes = post(path, body(cap))
      expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
      expect(bytes).toEndWith(await lastBody(gateway.upstreams.only))
    }
    expect(gateway.upstreams.only.requests).toHaveLength(seen + 3)
  }
})

test('a maximum of another number holds deeper, too, and holds what is below all numbers of its kind', async () => {
  const limits = [
    { clamp: { n: { max: 2 }, top_logprobs: { max: 3 }, seed: { max: 9 }, priority: { min: -5, max: 5 } } },
  ]
  const gateway = await start({ ...ONLY, file: { params: limits } })
  for (const [name, value] of Object.entries({ n: -1, N: 0, top_logprobs: -1, seed: 10, priority: -6 })) {
    const { status, param } = await refusalOf(gateway.port, post('anything', { a: { [name]: value } }))
    expect([status, param]).toEqual([400, `a.${name}`])
  }
  const fine = { a: { n: 2, top_logprobs: 0, seed: -7, priority: -5 } }
  expect((await sendRaw(gateway.port, post('anything', fine))).status).toBe(200)
})

test('what is hidden behind a second member of the same name, or too deep, is refused', async () => {
  const gateway = await start({ ...ONLY, file: { ...REFUSING.file, params: CAP } })
  const deep = `${'{"a":'.repeat(100)}{"model":"dear"}${'}'.repeat(100)}`
  const lists = `${'['.repeat(5000)}{"model":"dear"}${']'.repeat(5000)}`
  for (const text of [
    '{"session":{"model":"dear"},"session":{"model":"plain"}}',
    '{"session":{"model":"dear","model":"plain"}}',
    '{"session":{"model":"dear"},"session":null}',
    '{"session":null,"session":{"model":"plain"}}',
    '{"model":"plain","models":["dear"],"models":"plain"}',
    '{"model":"plain","engine":"dear","\\u0065ngine":"plain"}',
    '{"model":"plain","model_id":"dear","model_id":null}',
    '{"session":{"a":{"max_tokens":999},"a":{}}}',
    '{"session":[{"mod\\u0065l":"dear","model":"plain"}]}',
    `{"session":${deep}}`,
    `{"models":${lists}}`,
  ]) {
    const refused = await refusalOf(gateway.port, postText('/v1/anything', text))
    expect([text.slice(0, 60), refused.status, refused.code]).toEqual([text.slice(0, 60), 400, 'rules_not_applicable'])
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('somebody’s own words name nothing: messages, schemas, metadata', async () => {
  const gateway = await start({ ...ONLY, file: { ...REFUSING.file, params: CAP } })
  const words = { model: 'dear', models: ['dear'], max_tokens: 99_999 }
  const bytes = post('chat/completions', {
    model: 'plain',
    max_tokens: 5,
    metadata: words,
    messages: [{ role: 'user', content: [{ type: 'text', text: '"model":"dear"', ...words }] }],
    tools: [{ type: 'function', function: { name: 'model', parameters: { properties: words, ...words } } }],
    response_format: { type: 'json_schema', json_schema: { schema: { properties: { model: { enum: ['dear'] } } } } },
  })
  expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
  expect(bytes).toEndWith(await lastBody(gateway.upstreams.only))
})

test('calls within a call are subject to the rules for them, and refused where one would change them', async () => {
  const gateway = await start({
    ...ONLY,
    file: { params: [{ match: { endpoint: 'messages' }, deny: ['user'], clamp: { max_tokens: { max: 100 } } }] },
  })
  const batch = (...params: readonly object[]): string =>
    post('messages/batches', { requests: params.map((one, at) => ({ custom_id: `${at}`, params: one })) })
  const fine = { model: 'a', max_tokens: 100 }
  for (const [params, code] of [
    [{ max_tokens: 101 }, 'rules_not_applicable'],
    [{ max_tokens: 5, user: 'x' }, 'parameter_not_allowed'],
  ] as const) {
    expect(await refusalOf(gateway.port, batch(fine, params))).toMatchObject({ status: 400, code })
  }
  const inInput = post('batches', { input: [{ url: '/v1/messages', body: { max_tokens: 101 } }] })
  expect(await refusalOf(gateway.port, inInput)).toMatchObject({ status: 400, param: 'input[0].body' })
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  expect((await sendRaw(gateway.port, batch(fine, fine))).status).toBe(200)
})

const GIFTS = [
  'realtime/client_secrets',
  'realtimeapi/sessions',
  'realtime/sessions',
  'realtime/transcription_sessions',
  'chatkit/sessions',
]

test('a key or a session of the upstream’s own is not handed out where rules or models restrict', async () => {
  for (const file of [
    REFUSING.file,
    { params: CAP },
    { params: [{ match: { endpoint: 'realtime' }, deny: ['user'] }] },
  ]) {
    const gateway = await start({ ...ONLY, file })
    for (const path of GIFTS) {
      for (const bytes of [
        post(path, { session: { model: 'plain' } }),
        `POST /v1/${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n`,
      ]) {
        const refused = await refusalOf(gateway.port, bytes)
        expect([path, refused.status, refused.code]).toEqual([path, 400, 'rules_not_applicable'])
      }
    }
    expect(gateway.upstreams.only.requests).toHaveLength(0)
  }
})

test('the Administration API, which makes keys, is not called with this server’s key at all', async () => {
  const gateway = await start({ ...ONLY, file: {} })
  for (const path of ['organization/admin_api_keys', 'Organization//projects', 'projects/proj_1/roles']) {
    const refused = await refusalOf(gateway.port, post(path, { name: 'mine' }))
    expect([path, refused.status, refused.code]).toEqual([path, 401, null])
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('it is where nothing restricts it', async () => {
  for (const file of [
    {},
    { models: REFUSING.file.models },
    { params: [{ match: { endpoint: 'chat/completions' }, deny: ['user'] }] },
  ]) {
    const gateway = await start({ ...ONLY, file })
    for (const path of GIFTS) {
      const bytes = post(path, { session: { model: 'gpt-realtime', max_output_tokens: 'inf' } })
      expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
      expect(bytes).toEndWith(await lastBody(gateway.upstreams.only))
    }
  }
})

test('a call that goes by a prompt, an assistant or an agent has to name its model where others are refused', async () => {
  const gateway = await start(REFUSING)
  for (const [path, holder] of [
    ['responses', { prompt: { id: 'pmpt_1' } }],
    ['threads/runs', { assistant_id: 'asst_1' }],
    ['threads/thread_1/runs', { assistant_id: 'asst_1' }],
    ['conversations', { agent_id: 'ag_1' }],
  ] as const) {
    expect(await refusalOf(gateway.port, post(path, holder))).toMatchObject({ status: 400, param: 'model' })
    expect((await sendRaw(gateway.port, post(path, { model: 'plain', ...holder }))).status).toBe(200)
  }
  expect(gateway.upstreams.only.requests).toHaveLength(4)
})

test('a call of a model names it where others are refused, and what makes no call need not', async () => {
  const gateway = await start(REFUSING)
  const unnamed = { status: 400, param: 'model', code: 'rules_not_applicable' }
  for (const path of ['embeddings', 'images/generations', 'messages', 'beta/videos', 'moderations']) {
    for (const body of [{ input: 'x' }, { model: null, input: 'x' }])
      expect(await refusalOf(gateway.port, post(path, body))).toEqual(unnamed)
  }
  const inner = { requests: [{ custom_id: '1', params: { messages: MESSAGES } }] }
  expect(await refusalOf(gateway.port, post('messages/batches', inner))).toEqual(unnamed)
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  for (const path of [
    'videos/v_1/remix',
    'conversations',
    'chat/completions/chatcmpl-1',
    'deployments/plain/embeddings',
  ])
    expect((await sendRaw(gateway.port, post(path, { metadata: {} }))).status).toBe(200)
})

test('a model in a form’s field within another one is found', async () => {
  const gateway = await start({ ...ONLY, file: { ...REFUSING.file, params: CAP } })
  for (const [name, text] of [
    ['extra_body[engine]', 'dear'],
    ['engine[0]', 'dear'],
    ['models[1][name]', 'dear'],
    ['session.model', 'dear'],
    ['options[a][max_new_tokens]', '101'],
  ] as const) {
    const form = new FormData()
    form.append('model', 'plain')
    form.append(name, text)
    const answer = await fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', body: form })
    expect([name, answer.ok]).toEqual([name, false])
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('what may stand for another model than the one that is named is refused where others are', async () => {
  const gateway = await start(REFUSING)
  for (const name of ['preset', 'prompt_id', 'promptId']) {
    const body = { model: 'plain', messages: MESSAGES, [name]: 'cheaper' }
    const refused = await refusalOf(gateway.port, post('chat/completions', body))
    expect(refused).toEqual({ status: 400, param: name, code: 'rules_not_applicable' })
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('what only speaks of models, or of a search’s engine, names none', async () => {
  const gateway = await start(REFUSING)
  const bytes = post('chat/completions', {
    model: 'plain',
    messages: MESSAGES,
    model_type: 'chat',
    modelProvider: 'someone',
    modalities: ['text'],
    plugins: [{ id: 'web', engine: 'exa' }],
    tools: [{ type: 'router:web_search', parameters: { engine: 'native' } }],
    provider: { order: ['a'], allow_fallbacks: false },
  })
  expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
  expect(bytes).toEndWith(await lastBody(gateway.upstreams.only))
})

test('where others are refused, a body of any path is read, but for files', async () => {
  const gateway = await start(REFUSING)
  for (const type of ['application/octet-stream', 'application/json']) {
    const bytes = postText('/v1/rerank', type === 'application/json' ? '"model":"dear"' : '{"model":"dear"}', {
      'Content-Type': type,
    })
    expect((await refusalOf(gateway.port, bytes)).status).toBe(400)
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  await sendRaw(
    gateway.port,
    postText('/v1/uploads/upload_1/parts', 'bytes', { 'Content-Type': 'application/octet-stream' }),
  )
  expect(lastRequest(gateway.upstreams.only).target).toBe('/v1/uploads/upload_1/parts')
})

test('a session in a form is looked into', async () => {
  const gateway = await start(REFUSING)
  const form = (session: string): string =>
    `--b\r\nContent-Disposition: form-data; name="sdp"\r\n\r\nv=0\r\n--b\r\nContent-Disposition: form-data; name="session"\r\n\r\n${session}\r\n--b--\r\n`
  const ask = (session: string): string =>
    postText('/v1/realtime/calls', form(session), { 'Content-Type': 'multipart/form-data; boundary=b' })
  expect(await refusalOf(gateway.port, ask('{"model":"dear"}'))).toMatchObject({ status: 404 })
  expect(await refusalOf(gateway.port, ask('{"model":"dear","model":"plain"}'))).toMatchObject({ status: 400 })
  expect(gateway.upstreams.only.requests).toHaveLength(0)
  expect((await sendRaw(gateway.port, ask('{"model":"plain"}'))).status).toBe(200)
})

const KEY = fc.constantFrom('session', 'a', 'model', 'models', 'tools', 'MODEL', 'fallback_models', 'x')
const { tree: TREE } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('plain', 'dear', 1, null),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(KEY, tie('tree'), { maxKeys: 3 }),
  ),
}))

/** Whether a value has the name in the place of a model, by a way to look of the test's own. */
function namesDear(value: unknown, isModel: boolean): boolean {
  if (typeof value === 'string') return isModel && value === 'dear'
  if (Array.isArray(value)) return value.some((one) => namesDear(one, isModel))
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, one]) => namesDear(one, /model/i.test(key)))
}

test('wherever a body has the name of a model in a place for models, it is found', async () => {
  const gateway = await start(REFUSING)
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.constantFrom('session', 'b', 'tools', 'models'), TREE), async (body) => {
      const seen = gateway.upstreams.only.requests.length
      const { status } = await sendRaw(gateway.port, post('anything', body))
      expect(status).toBe(namesDear(body, false) ? 404 : 200)
      expect(gateway.upstreams.only.requests).toHaveLength(namesDear(body, false) ? seen : seen + 1)
    }),
    { numRuns: 200 },
  )
})
