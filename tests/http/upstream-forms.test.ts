import { describe, expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { lastBody } from '../helpers/received-requests.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const IMAGE = { role: 'user', content: [{ type: 'image_url', image_url: 'data:image/png;base64,iVBORw0KGgo=' }] }

/** What other servers document, and OpenAI refuses. */
const FORMS = {
  'an image as a string (Mistral)': { messages: [IMAGE] },
  'logprobs as a number (Together)': { messages: MESSAGES, logprobs: 3 },
  'logit_bias as pairs (llama.cpp)': { messages: MESSAGES, logit_bias: [[15043, false]] },
  'arguments as an object (LiteLLM)': {
    messages: [
      { role: 'assistant', tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: { a: 1 } } }] },
    ],
  },
  'no message at all (LitServe)': { messages: [] },
  'a prompt instead of messages': { prompt: 'hi' },
  'a number as text': { messages: MESSAGES, temperature: '0.5', max_tokens: '5' },
  'a tool result that is an object': { messages: [{ role: 'tool', content: { ok: true }, tool_call_id: 5 }] },
} as const

const PROMPTS = {
  'media in a prompt (llama.cpp)': { prompt: { prompt_string: 'what? <__media__>', multimodal_data: ['AAAA'] } },
  'several prompts of mixed kinds': { prompt: ['a', [1, 2], { prompt_string: 'b' }] },
  'a seed in words': { prompt: 'x', seed: 'random', stop: { any: true } },
} as const

const CASES = [
  ...Object.entries(FORMS).map(([what, body]) => [what, '/v1/chat/completions', body] as const),
  ...Object.entries(PROMPTS).map(([what, body]) => [what, '/v1/completions', body] as const),
]

describe('a form that is none of OpenAI’s', () => {
  test.each(CASES)('goes to another server as it came: %s', async (_what, path, form) => {
    for (const file of [{}, { models: { m: { targets: [{ upstream: 'up' }] } } }]) {
      const { chat, upstreams } = await start({ upstreams: { up: answerAs('up') }, file })
      const text = JSON.stringify({ model: 'm', ...form })
      const response = await chat(text, {}, path)
      expect([response.status, await lastBody(upstreams.up)]).toEqual([200, text])
    }
  })

  test.each(CASES)(
    'is refused in OpenAI’s words where it would go to OpenAI or Azure: %s',
    async (_what, path, form) => {
      const file = { models: { az: { targets: [{ upstream: 'azure', model: 'mine' }] } } }
      const { chat, upstreams } = await start({
        upstreams: { openai: answerAs('openai'), azure: answerAs('azure') },
        settings: { openai: { preset: 'openai', auth: 'caller' }, azure: { preset: 'azure', auth: 'caller' } },
        file,
      })
      for (const model of ['gpt-4o', 'az']) {
        const response = await chat(JSON.stringify({ model, ...form }), {}, path)
        const { error } = (await response.json()) as { readonly error: Record<string, unknown> }
        expect(response.status).toBe(400)
        expect(Object.keys(error).toSorted()).toEqual(['code', 'message', 'param', 'type'])
        expect(error['type']).toBe('invalid_request_error')
      }
      expect([...upstreams.openai.requests, ...upstreams.azure.requests]).toEqual([])
    },
  )

  test('is the upstreams’ to judge where not all that may answer are OpenAI', async () => {
    const targets = [{ upstream: 'openai' }, { upstream: 'other' }]
    const { chat, upstreams } = await start({
      upstreams: { openai: answerAs('openai'), other: answerAs('other') },
      settings: { openai: { preset: 'openai', auth: 'caller' } },
      file: { models: { m: { targets } } },
    })
    expect((await chat({ model: 'm', messages: [IMAGE] })).status).toBe(200)
    expect(upstreams.openai.requests).toHaveLength(1)
  })

  test('is judged by what the rules have made of it', async () => {
    const { chat, upstreams } = await start({
      upstreams: { openai: answerAs('openai') },
      settings: { openai: { preset: 'openai', auth: 'caller' } },
      file: { params: [{ drop: ['logprobs'] }] },
    })
    expect((await chat({ model: 'm', logprobs: 3 })).status).toBe(200)
    expect(JSON.parse(await lastBody(upstreams.openai))).toEqual({ messages: [...MESSAGES], model: 'm' })
    expect((await chat({ model: 'm', logprobs: 3, temperature: 'hot' })).status).toBe(400)
  })
})

describe('before the upstream is known', () => {
  test.each([
    ['{', 'invalid_json'],
    ['[]', 'invalid_json'],
    ['"hi"', 'invalid_json'],
    ['null', 'invalid_json'],
    ['', 'invalid_json'],
  ])('a body that is no JSON, or no object, is refused: %p', async (body) => {
    const { chat, upstreams } = await start({ upstreams: { up: answerAs('up') }, file: {} })
    for (const path of ['/v1/chat/completions', '/v1/completions']) {
      const response = await chat(body, {}, path)
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', param: null } })
    }
    expect(upstreams.up.requests).toEqual([])
  })

  test('the model has to be a text where it decides, and else it is the upstream’s affair', async () => {
    const models = { m: { targets: [{ upstream: 'up' }] } }
    const deciding = await start({ upstreams: { up: answerAs('up') }, file: { models } })
    for (const model of [5, ['m'], { name: 'm' }, true]) {
      const response = await deciding.chat({ model })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { param: 'model', code: 'invalid_type' } })
    }
    for (const path of ['/v1/embeddings', '/v1/responses', '/v1/images/generations']) {
      expect([path, (await deciding.chat({ model: ['m'] }, {}, path)).status]).toEqual([path, 400])
    }
    expect((await deciding.chat({ model: { id: 'm' } }, {}, '/v1/agents')).status).toBe(200)
    expect((await deciding.chat({ model: null })).status).toBe(200)
    const free = await start({ upstreams: { up: answerAs('up') }, file: {} })
    expect((await free.chat({ model: 5 })).status).toBe(200)
  })

  test('a cap stays a cap: a number in words is refused where a rule needs the number', async () => {
    const { chat, upstreams } = await start({
      upstreams: { up: answerAs('up') },
      file: { params: [{ clamp: { max_tokens: { max: 10 }, n: { max: 1 } } }] },
    })
    for (const body of [{ max_tokens: '99999' }, { max_completion_tokens: [99_999] }, { n: { $gt: 5 } }, { n: true }]) {
      const response = await chat({ model: 'm', ...body })
      expect([response.status, await response.json()]).toMatchObject([400, { error: { code: 'invalid_type' } }])
    }
    expect(upstreams.up.requests).toEqual([])
  })

  test('no odd shape is a failure of ours, whatever has a say', async () => {
    const { chat } = await start({
      upstreams: { up: answerAs('up'), two: answerAs('two') },
      file: {
        models: { '*': { targets: [{ upstream: 'up' }, { upstream: 'two' }], strategy: 'affinity' } },
        params: [
          { defaults: { 'stream_options.include_usage': true, temperature: 1 }, overrides: { user: 'u' } },
          { clamp: { top_logprobs: { max: 5 } }, rename: { top_k: 'topK' }, values: { tool_choice: ['auto', 'none'] } },
          { deny: ['functions'], on_violation: 'drop', match: { model: 'm*' } },
        ],
        cache: { store: 'memory', requests: 'all' },
      },
    })
    const values = [null, 0, -1.5, '', 'x', [], [[]], {}, { a: [null] }, true]
    const names = [
      'messages',
      'prompt',
      'stream',
      'stream_options',
      'tools',
      'temperature',
      'metadata',
      'user',
      'tool_choice',
      'stop',
      'store',
      'input',
      'modalities',
    ]
    for (const name of names) {
      for (const value of values) {
        for (const path of ['/v1/chat/completions', '/v1/completions', '/v1/responses', '/v1/embeddings']) {
          const response = await chat(JSON.stringify({ model: 'm', [name]: value }), {}, path)
          expect([name, value, path, response.status < 500]).toEqual([name, value, path, true])
          await response.arrayBuffer()
        }
      }
    }
  })

  test('what is no JSON passes at other endpoints, where no rule needs it', async () => {
    const gateway = await start({
      upstreams: { up: answerAs('up'), two: answerAs('two') },
      file: { models: { m: { targets: [{ upstream: 'up' }] } } },
    })
    for (const [type, path] of [
      ['text/plain', '/v1/files'],
      ['application/x-www-form-urlencoded', '/v1/batches'],
      ['application/json', '/v1/responses'],
      ['multipart/form-data; boundary=b', '/v1/audio/transcriptions'],
    ] as const) {
      const headers = { 'content-type': type }
      const response = await fetch(gateway.url + path, { method: 'POST', headers, body: 'no=JSON' })
      expect([path, response.status, await lastBody(gateway.upstreams.up)]).toEqual([path, 200, 'no=JSON'])
    }
  })
})
