import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openAiPreset } from '../helpers/openai-preset.ts'
import { postText, sendRaw } from '../helpers/raw-client.ts'
import { statusAndCode } from '../helpers/received-answers.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const KEY = { Authorization: 'Bearer sk-mine' }

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: answerOk }, env: { OPENAI_MODEL: 'my-"model"' } })
})

afterAll(() => gateway.stop())

test('a text completion goes upstream as the very bytes received, with and without /v1', async () => {
  const bodies = [
    '{ "prompt":"hi" , "model":"m", "max_tokens":16, "logit_bias":{"50256":-100.0} }',
    '{"model":"m","prompt":["a","b"]}',
    '{"model":"m","prompt":[1,2,3]}',
    '{"model":"m","prompt":[[1],[2,3]]}',
    '{"model":"m","prompt":null,"best_of":-1,"brand_new":1.0}',
    '{"model":"m"}',
  ]
  for (const target of ['/v1/completions', '/completions']) {
    for (const body of bodies) {
      expect(statusAndCode(await sendRaw(gateway.port, postText(target, body, KEY)))).toBe('200')
      const request = lastRequest(gateway.upstreams.openai)
      expect(request.target).toBe('/v1/completions')
      expect(Buffer.from(await request.body).toString()).toBe(body)
    }
  }
})

test('a text completion that names no model gets OPENAI_MODEL, as JSON, and keeps every other byte', async () => {
  await sendRaw(gateway.port, postText('/v1/completions', ' {\t"prompt":"hi"}\n', KEY))
  expect(Buffer.from(await lastRequest(gateway.upstreams.openai).body).toString()).toBe(
    ' {"model":"my-\\"model\\"",\t"prompt":"hi"}\n',
  )
  await sendRaw(gateway.port, postText('/v1/completions', '{ }', KEY))
  expect(Buffer.from(await lastRequest(gateway.upstreams.openai).body).toString()).toBe('{"model":"my-\\"model\\"" }')
})

test('what is no JSON object is refused; a field of the wrong type is, before OpenAI', async () => {
  const preset = openAiPreset()
  const openai = await startGateway({ upstreams: { openai: answerOk }, env: { NEXCODE_CONFIG: preset.path } })
  for (const [pairOf, body, expected] of [
    [openai, '{"model":"m","prompt":7}', '400 invalid_type'],
    [openai, '{"model":"m","prompt":"x","echo":"yes"}', '400 invalid_type'],
    [openai, '{"model":[],"prompt":"x"}', '400 invalid_type'],
    [gateway, '[]', '400 null'],
    [gateway, '', '400 null'],
  ] as const) {
    const before = pairOf.upstreams.openai.requests.length
    const answer = await sendRaw(pairOf.port, postText('/v1/completions', body, KEY))
    expect([body, statusAndCode(answer)]).toEqual([body, expected])
    expect(pairOf.upstreams.openai.requests).toHaveLength(before)
  }
  await openai.stop()
  preset.remove()
})
