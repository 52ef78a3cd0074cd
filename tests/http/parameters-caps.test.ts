import { expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { errorOf } from '../helpers/received-answers.ts'
import { lastBody } from '../helpers/received-requests.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const CAP = { params: [{ clamp: { max_tokens: { max: 100 } } }] }
const PATHS = ['/v1/chat/completions', '/v1/completions', '/v1/responses'] as const

test.each([
  [undefined, '{"options":{"num_predict" : 5000},"maxTokens":7,"n_predict":5000}', ['5000', '100']],
  ['llamacpp', '{"n_predict":5000,"max_new_tokens":5000}', ['"n_predict":5000', '"n_predict":100']],
  ['ollama', '{"options":{"num_predict":5000},"max_length":5000}', ['"num_predict":5000', '"num_predict":100']],
  ['vllm', '{"min_tokens":5000,"n_predict":5000}', ['"min_tokens":5000', '"min_tokens":100']],
  ['gemini', '{"generationConfig":{"maxOutputTokens":5000}}', ['5000', '100']],
  ['openrouter', '{"reasoning":{"max_tokens":5000}}', ['5000', '100']],
  ['groq', '{"max_tokens":5000,"n_predict":5000}', ['"max_tokens":5000', '"max_tokens":100']],
] as const)(
  'the words of an upstream of preset %s fall under the cap, and no other byte changes',
  async (preset, body, [from, to]) => {
    const settings = { only: { ...(preset === undefined ? {} : { preset }), api_key: 'k' } }
    const { chat, upstreams } = await start({ upstreams: { only: answerOk }, settings, file: CAP })
    const sent = body.replace('{', '{"model":"m" ,')
    for (const path of PATHS) {
      expect((await chat(sent, {}, path)).status).toBe(200)
      expect(await lastBody(upstreams.only)).toBe(sent.replaceAll(from, to))
    }
  },
)

test('the words of all upstreams together are the words: who answers is not known yet', async () => {
  const { chat, upstreams } = await start({
    upstreams: { one: answerOk, two: answerOk },
    settings: { one: { preset: 'groq', api_key: 'k' }, two: { preset: 'llamacpp' } },
    file: CAP,
  })
  await chat({ model: 'm', n_predict: 5000, min_tokens: 5000 })
  expect(JSON.parse(await lastBody(upstreams.one))).toMatchObject({ n_predict: 100, min_tokens: 5000 })
})

test('answers share the cap, and more of them than it has tokens are refused', async () => {
  const { chat, upstreams } = await start({ upstreams: { only: answerOk }, file: CAP })
  for (const path of PATHS) {
    await chat('{"model":"m","n": 3,"max_tokens":100}', {}, path)
    expect(await lastBody(upstreams.only)).toBe('{"model":"m","n": 3,"max_tokens":33}')
    const before = upstreams.only.requests.length
    const [status, error] = await errorOf(await chat('{"model":"m","n":128,"max_tokens":1}', {}, path))
    expect(status).toBe(400)
    expect(error).toEqual({
      message:
        "This request asks for 128 answers, by 'n' among others, and this server allows 100 tokens in all answers to one request together. Ask for fewer.",
      type: 'invalid_request_error',
      param: 'n',
      code: 'parameter_not_allowed',
    })
    expect(upstreams.only.requests).toHaveLength(before)
  }
  await chat({ model: 'm', prompt: ['a', 'b', 'c', 'd'], max_tokens: 90 }, {}, '/v1/completions')
  expect(JSON.parse(await lastBody(upstreams.only))).toMatchObject({ max_tokens: 25 })
})

test('a number that is no cap to some servers is refused in OpenAI’s words, and passes where no rule caps it', async () => {
  const capped = await start({ upstreams: { only: answerOk }, file: CAP })
  const free = await start({ upstreams: { only: answerOk }, file: {} })
  for (const value of ['-1', '0', '-1e400']) {
    const body = `{"model":"m","max_tokens":${value},"n":1}`
    for (const path of PATHS) {
      const [status, error] = await errorOf(await capped.chat(body, {}, path))
      expect([status, error]).toMatchObject([400, { param: 'max_tokens', code: 'integer_below_min_value' }])
      await free.chat(body, {}, path)
      expect(await lastBody(free.upstreams.only)).toBe(body)
    }
  }
  expect(capped.upstreams.only.requests).toHaveLength(0)
})
