import { afterAll, beforeAll, expect, test } from 'bun:test'
import { postText, sendRaw } from '../helpers/raw-client.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startTestGateway, type TestGateway } from '../helpers/start-gateway.ts'

let upstream: ScriptedUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startScriptedUpstream((_request, connection) =>
    connection.json({ id: 'x', object: 'chat.completion' }),
  )
  gateway = await startTestGateway({ OPENAI_API_BASE: `${upstream.url}/v1` })
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
    '\n{"model":"gpt-3.5-turbo", "messages":[{"role":"user","content":"hi"}] }',
  )
})
