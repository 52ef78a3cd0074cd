import { describe, expect, test } from 'bun:test'
import { createSimulatedOpenAI } from '../../../src/demo/simulated-openai.ts'
import { chat, jsonOf, openai, post } from './simulated-calls.ts'

const chatPath = '/v1/chat/completions'
const messages = [{ role: 'user', content: 'Hi' }]

function get(path: string, method = 'GET'): Request {
  return new Request(`http://simulated${path}`, { method })
}

function problem(message: string, code: string | null = null, param: string | null = null) {
  return { error: { message, type: 'invalid_request_error', param, code } }
}

describe('the simulated OpenAI refuses, in OpenAI’s words,', () => {
  const unparsed =
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)"
  const noModel = 'you must provide a model parameter'
  const missing = (name: string) => `The model \`${name}\` does not exist or you do not have access to it.`
  const cases: [string, () => Request, number, object][] = [
    ['a body that is not JSON', () => post(chatPath, '{"model":'), 400, problem(unparsed)],
    ['a body that is no object', () => post(chatPath, '[]'), 400, problem(unparsed)],
    ['an empty body', () => post(chatPath, ''), 400, problem(unparsed)],
    ['a chat without a model', () => post(chatPath, { messages }), 400, problem(noModel)],
    [
      'a chat without messages',
      () => post(chatPath, { model: 'm' }),
      400,
      problem("Missing required parameter: 'messages'.", 'missing_required_parameter', 'messages'),
    ],
    [
      'a chat with an empty list of messages',
      () => post(chatPath, { model: 'm', messages: [] }),
      400,
      problem(
        "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        'empty_array',
        'messages',
      ),
    ],
    [
      'messages of another type',
      () => post(chatPath, { model: 'm', messages: 'Hi' }),
      400,
      problem(
        "Invalid type for 'messages': expected an array of objects, but got a string instead.",
        'invalid_type',
        'messages',
      ),
    ],
    [
      'a max_tokens of another type',
      () => chat('Hi', { max_tokens: '5' }),
      400,
      problem(
        "Invalid type for 'max_tokens': expected an integer, but got a string instead.",
        'invalid_type',
        'max_tokens',
      ),
    ],
    [
      'a type that is not JSON',
      () => post(chatPath, { model: 'm' }, { 'content-type': 'text/plain' }),
      400,
      problem(
        "Unsupported content type: 'text/plain'. This API method only accepts 'application/json' requests, but you specified the header 'Content-Type: text/plain'. Please try again with a supported content type.",
        'unsupported_content_type',
      ),
    ],
    [
      'unknown-model',
      () => chat('Hi', { model: 'unknown-model' }),
      404,
      problem(missing('unknown-model'), 'model_not_found'),
    ],
    [
      'a missing- model',
      () => chat('Hi', { model: 'missing-1' }),
      404,
      problem(missing('missing-1'), 'model_not_found'),
    ],
    ['a model not in the list', () => get('/v1/models/gpt-9'), 404, problem(missing('gpt-9'), 'model_not_found')],
    ['an unknown URL', () => get('/v1/nothing'), 404, problem('Invalid URL (GET /v1/nothing)')],
    [
      'a URL with an escape that is none',
      () => get('/v1/models/%E0%A4%A'),
      404,
      problem(missing('%E0%A4%A'), 'model_not_found'),
    ],
    [
      'the root of the API',
      () => post('/v1', {}),
      404,
      problem(
        'Unknown request URL: POST /v1. Please check the URL for typos, or see the docs at https://platform.openai.com/docs/api-reference/.',
        'unknown_url',
      ),
    ],
    [
      'another method',
      () => get(chatPath, 'PUT'),
      405,
      problem('Not allowed to PUT on /v1/chat/completions. (HINT: Perhaps you meant to use a different HTTP method?)'),
    ],
  ]
  for (const [what, request, status, body] of cases) {
    test(what, async () => {
      const response = await openai.fetch(request())
      expect(response.status).toBe(status)
      expect(response.headers.get('content-type')).toBe('application/json')
      expect(response.headers.get('x-request-id')).toMatch(/^req_simulated_/)
      expect(await response.json()).toEqual(body)
    })
  }

  test('fields of other types and out of range, each by its name', async () => {
    const wrong: Record<string, unknown> = {
      n: 0,
      stop: [1],
      stream: 'yes',
      response_format: 'json',
      model: 5,
      top_logprobs: 50,
      stream_options: {},
    }
    for (const [param, value] of Object.entries(wrong)) {
      const response = await openai.fetch(chat('Hi', { logprobs: true, [param]: value }))
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { param } })
    }
  })

  test('a wrong method with the list of those that are right', async () => {
    const response = await openai.fetch(get('/v1/files/abc', 'PATCH'))
    expect(response.headers.get('allow')).toBe('GET, DELETE')
  })

  test('a body of more than 64 MiB', async () => {
    const response = await openai.fetch(post(chatPath, ' '.repeat(64 * 1024 * 1024 + 1)))
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({
      error: { message: 'Maximum content size limit (67108864) exceeded (67108865 bytes read)', type: 'server_error' },
    })
  })
})

describe('a key', () => {
  const guarded = createSimulatedOpenAI({ requireKey: 'sk-right-key-0123456789' })
  const withKey = (authorization?: string) => chat('Hi', {}, authorization === undefined ? {} : { authorization })

  test('is not needed where none is required', async () => {
    expect((await openai.fetch(withKey())).status).toBe(200)
    expect((await openai.fetch(withKey('Bearer sk-anything'))).status).toBe(200)
  })

  test('that is sk-invalid is wrong always', async () => {
    const response = await openai.fetch(withKey('Bearer sk-invalid'))
    expect(response.status).toBe(401)
    expect(await response.json()).toEqual(
      problem(
        'Incorrect API key provided: sk-*******. You can find your API key at https://platform.openai.com/account/api-keys.',
        'invalid_api_key',
      ),
    )
  })

  test('that is required has to be there, and right, before anything else is looked at', async () => {
    expect((await guarded.fetch(withKey('bearer sk-right-key-0123456789'))).status).toBe(200)
    for (const authorization of [undefined, 'Basic abc', 'Bearer']) {
      const response = await guarded.fetch(withKey(authorization))
      expect(response.status).toBe(401)
      const { error } = (await response.json()) as { error: { message: string; code: null } }
      expect(error.message).toStartWith("You didn't provide an API key.")
      expect(error.code).toBeNull()
    }
    const request = post('/v1/nothing', '{', {
      authorization: 'Bearer sk-wrong-key-0123456789',
      'x-simulate': 'nonsense',
    })
    const response = await guarded.fetch(request)
    expect(response.status).toBe(401)
    expect(await response.text()).toContain('provided: sk-wrong***********6789.')
  })
})

describe('a WebSocket', () => {
  test('is answered with 426 and what is spoken instead, at which Codex sends a POST at once', async () => {
    const upgrade = { connection: 'Upgrade', upgrade: 'WebSocket', 'sec-websocket-version': '13' }
    for (const path of ['/v1/responses', '/v1/realtime?model=gpt-realtime']) {
      const response = await openai.fetch(new Request(`http://simulated${path}`, { headers: upgrade }))
      expect(response.status).toBe(426)
      expect(response.headers.get('upgrade')).toBe('HTTP/1.1')
      expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', code: null } })
    }
    const wrong = { ...upgrade, authorization: 'Bearer sk-invalid' }
    expect((await openai.fetch(new Request('http://simulated/v1/responses', { headers: wrong }))).status).toBe(401)
  })
})

describe('the list of models', () => {
  test('names models that are owned by nexcode-simulated, each of which can be asked for', async () => {
    const { data } = await jsonOf<{ data: { id: string; owned_by: string }[] }>(get('/v1/models'))
    expect(data.map(({ id }) => id)).toContain('gpt-3.5-turbo')
    for (const model of data) {
      expect(model).toEqual({
        id: model.id,
        object: 'model',
        created: 1735689600,
        owned_by: 'nexcode-simulated',
      } as never)
      expect(await jsonOf<object>(get(`/v1/models/${model.id}`))).toEqual(model)
    }
  })

  test('is dated by the clock that was given', async () => {
    const dated = createSimulatedOpenAI({ now: () => 1_800_000_000_999 })
    expect(await (await dated.fetch(get('/v1/models/gpt-5'))).json()).toMatchObject({ created: 1_800_000_000 })
  })
})
