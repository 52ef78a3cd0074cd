import { describe, expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import type { ReceivedRequest, Script, UpstreamConnection } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'

const start = perTest(startGateway)

/** A gateway with one upstream of a preset, which answers as its server does. */
const serve = (preset: string, script: Script, settings: object = {}, file: object = {}) =>
  start({
    upstreams: { it: script },
    settings: { it: { preset, ...settings } },
    file: { debug_headers: true, models: { smart: { targets: [{ upstream: 'it', model: 'tiny' }] } }, ...file },
  })

async function bodyOf({ body }: ReceivedRequest): Promise<Record<string, unknown>> {
  return JSON.parse(new TextDecoder().decode(await body)) as Record<string, unknown>
}

const chunk = (delta: object, more: object = {}): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'tiny', choices: [{ index: 0, delta, finish_reason: null }], ...more })}\n\n`
const finish = `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\n`
const answer = {
  id: 'c',
  object: 'chat.completion',
  model: 'tiny',
  choices: [{ index: 0, message: { role: 'assistant', content: 'a' }, finish_reason: 'stop' }],
}

/** uvicorn, under most of them: chunked. */
const uvicorn = (connection: UpstreamConnection, events: readonly string[]): void => {
  connection.startChunked(200, { server: 'uvicorn', 'content-type': 'text/event-stream; charset=utf-8' })
  for (const event of events) connection.chunk(event)
  connection.endChunks()
}

describe('transformers serve', () => {
  /** It compares the names with OpenAI's, before it looks at anything else; its streams have no [DONE]. */
  const transformers: Script = async (request, connection) => {
    if (request.target === '/health') return connection.json({ status: 'ok' })
    if (request.method === 'GET') return connection.json({ object: 'list', data: [] })
    const body = await bodyOf(request)
    const unexpected = ['top_k', 'min_p', 'repetition_penalty'].filter((name) => name in body)
    if (unexpected.length > 0) {
      return connection.json({ detail: `Unexpected fields in the request: {'${unexpected.join("', '")}'}` }, 422)
    }
    if (body['stream'] === true)
      return uvicorn(connection, [chunk({ role: 'assistant' }), chunk({ content: 'a' }), finish])
    connection.json({ ...answer, model: 'tiny@main' })
  }
  const call = {
    model: 'smart',
    top_k: 5,
    min_p: 0.1,
    temperature: 1,
    chat_template_kwargs: { a: 1 },
    seed: 1,
    user: 'u',
  }

  test('gets no parameter that it refuses, and the caller is told', async () => {
    const gateway = await serve('transformers', transformers)
    const response = await gateway.chat(call)
    expect([response.status, response.headers.get('x-nexcode-params')]).toEqual([200, 'preset=top_k,min_p'])
    expect(await response.json()).toMatchObject({ model: 'tiny@main' })
    expect(Object.keys(await bodyOf(await gateway.upstreams.it.request(1)))).toEqual([
      ...['messages', 'model', 'temperature', 'chat_template_kwargs', 'seed', 'user'],
    ])
    expect(await gateway.exchange(1)).toMatchObject({ params: 'preset=top_k,min_p' })
  })

  test('gets all of it with fit_params: false, and its 422 is the caller’s', async () => {
    const { chat } = await serve('transformers', transformers, { fit_params: false })
    const response = await chat(call)
    expect([response.status, response.headers.get('x-nexcode-params')]).toEqual([422, null])
    expect(await response.text()).toContain('Unexpected fields')
  })

  test('a rule’s changes and the preset’s are told together, and a stream without [DONE] is whole', async () => {
    const { chat, upstreams } = await serve(
      'transformers',
      transformers,
      {},
      { params: [{ clamp: { max_tokens: { max: 9 } } }] },
    )
    const response = await chat({ ...call, stream: true, max_tokens: 50 })
    expect(response.headers.get('x-nexcode-params')).toBe('clamp=max_tokens; preset=top_k,min_p')
    expect((await response.text()).endsWith(finish)).toBe(true)
    expect(await bodyOf(await upstreams.it.request(1))).toMatchObject({ max_tokens: 9, stream: true })
  })

  test('a body in gzip is read, and goes on plain where something is left out of it', async () => {
    const gateway = await serve('transformers', transformers)
    const body = Bun.gzipSync(JSON.stringify({ ...call, messages: MESSAGES }))
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    const response = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body })
    expect(response.status).toBe(200)
    const request = await gateway.upstreams.it.request(1)
    expect(request.header('content-encoding')).toBeUndefined()
    expect(await bodyOf(request)).not.toHaveProperty('top_k')
  })

  test('what is left out for it is not left out for the one behind it', async () => {
    const { chat, upstreams } = await start({
      upstreams: {
        it: async (request, connection) => {
          await request.body
          connection.json({ detail: 'busy' }, 503)
        },
        other: async (request, connection) => {
          await request.body
          connection.json(answer)
        },
      },
      settings: { it: { preset: 'transformers' } },
      file: { debug_headers: true, models: { smart: { targets: [{ upstream: 'it' }, { upstream: 'other' }] } } },
    })
    const response = await chat(call)
    expect([response.status, response.headers.get('x-nexcode-params')]).toEqual([200, null])
    expect(await bodyOf(await upstreams.it.request(1))).not.toHaveProperty('top_k')
    expect(await bodyOf(await upstreams.other.request(1))).toHaveProperty('top_k', 5)
  })
})

test('what was left out is told behind a cache, too, and counts for no entry’s key', async () => {
  const { chat, upstreams } = await serve(
    'litserve',
    async (request, connection) => {
      await request.body
      connection.json(answer)
    },
    {},
    { cache: { store: 'memory', requests: 'all' } },
  )
  const first = await chat({ model: 'smart', n: null })
  expect([first.headers.get('x-nexcode-params'), first.headers.get('x-nexcode-cache')]).toEqual(['preset=n', 'MISS'])
  await first.text()
  const second = await chat({ model: 'smart', n: null })
  expect([second.headers.get('x-nexcode-params'), second.headers.get('x-nexcode-cache')]).toEqual([null, 'HIT'])
  expect(await second.json()).toEqual(answer)
  expect(upstreams.it.requests).toHaveLength(1)
})

describe('mlx_lm.server', () => {
  /** HTTP/1.0: a body ends with its connection; a query behind the path, and a body without a length, are refused. */
  const mlx: Script = async (request, connection) => {
    const end = (status: number, body: string, type = 'application/json'): void => {
      connection.write(
        `HTTP/1.0 ${status} OK\r\nServer: BaseHTTP/0.6 Python/3.11\r\nContent-type: ${type}\r\n\r\n${body}`,
      )
      connection.socket.end()
    }
    if (request.target === '/health') return end(200, '{"status": "ok"}')
    // Where the home has no hub cache.
    if (request.target === '/v1/models') return end(200, '')
    if (request.target !== '/v1/chat/completions') return end(404, 'Not Found')
    if (request.header('content-length') === undefined) return end(411, '{"error": "Content-Length is required"}')
    const body = await bodyOf(request)
    const wrong = ['temperature', 'top_p', 'max_tokens', 'stream'].find((name) => body[name] === null)
    if (wrong !== undefined) return end(400, `{"error": "${wrong} must be of type ('float', 'int')"}`)
    if (body['stream'] === true) {
      return end(
        200,
        `: keepalive 1/2\n\n${chunk({ role: 'assistant', content: 'a' })}${finish}data: [DONE]\n\n`,
        'text/event-stream',
      )
    }
    end(200, JSON.stringify(answer))
  }

  test('gets no null, which OpenAI allows and it refuses', async () => {
    const { chat, upstreams } = await serve('mlx_lm', mlx)
    const response = await chat({ model: 'smart', temperature: null, top_p: null, max_tokens: 5, stream: null })
    expect([response.status, response.headers.get('x-nexcode-params')]).toEqual([
      200,
      'preset=temperature,top_p,stream',
    ])
    expect(await response.json()).toMatchObject({ model: 'tiny' })
    expect(await bodyOf(await upstreams.it.request(1))).toEqual({ messages: MESSAGES, model: 'tiny', max_tokens: 5 })
  })

  test('its stream, which ends with the connection, comes whole; without a null the bytes are the caller’s', async () => {
    const { chat, upstreams } = await serve('mlx_lm', mlx, {}, { models: undefined, default_upstream: 'it' })
    const body = '{"model": "tiny",  "messages": [{"role": "user", "content": null}], "stream": true}'
    expect((await (await chat(body)).text()).endsWith('data: [DONE]\n\n')).toBe(true)
    expect(new TextDecoder().decode(await (await upstreams.it.request(1)).body)).toBe(body)
  })
})

describe('llama-cpp-python', () => {
  const llama: Script = async (request, connection) => {
    const id = request.header('x-request-id')
    if (id !== undefined && !/^[0-9a-f-]{36}$/.test(id)) return connection.respond(400, {})
    const body = await bodyOf(request)
    if (Object.values(body).includes(null)) {
      return connection.json(
        { error: { message: '[{"type": "bool_type"}]', type: 'internal_server_error', param: null, code: null } },
        500,
      )
    }
    connection.json(answer)
  }

  test('gets no null, which is a 500 there', async () => {
    const { chat } = await serve('llama-cpp-python', llama)
    const response = await chat({ model: 'smart', stream: null, logit_bias: null })
    expect([response.status, response.headers.get('x-nexcode-params')]).toEqual([200, 'preset=stream,logit_bias'])
  })
})

describe('LitServe', () => {
  test('gets no null; the ids of its chunks, of which each is another, are left alone', async () => {
    const { chat } = await serve('litserve', async (request, connection) => {
      const body = await bodyOf(request)
      if (body['n'] === null) return connection.respond(500, { 'content-type': 'text/plain' }, 'Internal Server Error')
      uvicorn(
        connection,
        [1, 2, 3].map((n) => chunk({ role: 'assistant', content: 'a' }, { id: `chatcmpl-${n}` })),
      )
    })
    const text = await (await chat({ model: 'smart', n: null, stream: true })).text()
    expect(text.match(/chatcmpl-\d/g)).toEqual(['chatcmpl-1', 'chatcmpl-2', 'chatcmpl-3'])
  })
})

/** What each of them answers in its own way: the events of a stream, and an error. */
const FORMS = {
  // Usage behind the choices; an unknown model is a 404 whose code is a number.
  vllm: {
    events: [
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'a' }),
      finish,
      'data: {"id":"c","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}\n\n',
      'data: [DONE]\n\n',
    ],
    error: [
      404,
      '{"error":{"message":"The model `x` does not exist.","type":"NotFoundError","param":"model","code":404}}',
    ],
  },
  // A role without content first, timings of its own; a prompt that is too long names its length.
  llamacpp: {
    events: [
      chunk({ role: 'assistant', content: null }),
      chunk({ content: 'a' }, { timings: { predicted_ms: 1.5 } }),
      finish,
      'data: {"choices":[],"object":"chat.completion.chunk","usage":{"completion_tokens":1,"prompt_tokens":3,"total_tokens":4,"prompt_tokens_details":{"cached_tokens":2}}}\n\n',
      'data: [DONE]\n\n',
    ],
    error: [
      400,
      '{"error":{"code":400,"message":"request (70 tokens) exceeds the available context size (64 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":70,"n_ctx":64}}',
    ],
  },
  sglang: {
    events: [chunk({ role: 'assistant', content: '' }), chunk({ content: 'a' }), finish, 'data: [DONE]\n\n'],
    error: [
      400,
      '{"object":"error","message":"max_tokens must be positive","type":"BadRequestError","param":null,"code":400}',
    ],
  },
  // Usage in a chunk with one choice that says nothing; without a database a wrong key is a 400 whose code is a text.
  litellm: {
    events: [
      chunk({ role: 'assistant', content: 'a' }),
      finish,
      chunk({}, { usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 } }),
      'data: [DONE]\n\n',
    ],
    error: [400, '{"error":{"message":"No connected db.","type":"no_db_connection","param":null,"code":"400"}}'],
  },
} as const

describe.each(Object.entries(FORMS))('%s', (preset, { events, error }) => {
  const server: Script = async (request, connection) => {
    const body = await bodyOf(request)
    const [status, text] = error
    if (body['n'] === 99) return connection.respond(status, { 'content-type': 'application/json' }, text)
    if (body['stream'] === true) return uvicorn(connection, events)
    connection.json(answer)
  }

  test('takes what OpenAI takes, and more: nothing is left out, and its stream and its error come as they are', async () => {
    const { chat, upstreams } = await serve(preset, server)
    const response = await chat({ model: 'smart', temperature: null, top_k: 5 })
    expect([response.status, response.headers.get('x-nexcode-params')]).toEqual([200, null])
    expect(await bodyOf(await upstreams.it.request(1))).toMatchObject({ temperature: null, top_k: 5 })
    expect(await (await chat({ model: 'smart', stream: true, stream_options: { include_usage: true } })).text()).toBe(
      events.join(''),
    )
    const refused = await chat({ model: 'smart', n: 99 })
    expect([refused.status, await refused.text()]).toEqual([...error])
  })
})

test.each([
  ['vllm', '/health'],
  ['transformers', '/health'],
  ['mlx_lm', '/health'],
  ['llamacpp', '/health'],
  ['litellm', '/health/liveliness'],
  ['litserve', '/health'],
  ['sglang', '/health'],
  ['llama-cpp-python', '/v1/models'],
  ['ollama', '/v1/models'],
])('a check of preset %s asks %s', async (preset, target) => {
  const { upstreams } = await serve(preset, (_request, connection) => connection.json({}), { check: { every: '1h' } })
  expect((await upstreams.it.request(1)).target).toBe(target)
})
