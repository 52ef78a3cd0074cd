import { expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { lastBody } from '../helpers/received-requests.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs, fail } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const BODY = `{ "messages" : ${JSON.stringify(MESSAGES)} }`
const WITH_DEFAULT = `{"model":"gpt-3.5-turbo", "messages" : ${JSON.stringify(MESSAGES)} }`
const OPENAI = { preset: 'openai', auth: 'caller' }

test('a local server gets no model that nobody has asked for, and every byte as it came', async () => {
  const upstream = await startScriptedUpstream(answerAs('local'))
  const gateway = await startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1` } })
  for (const path of ['chat/completions', 'completions']) {
    const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-mine' }
    const response = await fetch(`${gateway.url}/v1/${path}`, { method: 'POST', headers, body: BODY })
    expect([response.status, await lastBody(upstream)]).toEqual([200, BODY])
  }
  await gateway.stop()
  await upstream.close()
})

test('OPENAI_MODEL is put in wherever a request goes, also where it is gpt-3.5-turbo', async () => {
  for (const settings of [{}, OPENAI]) {
    const env = { OPENAI_MODEL: 'gpt-3.5-turbo' }
    const { chat, upstreams } = await start({ upstreams: { up: answerAs('up') }, settings: { up: settings }, env })
    await chat(BODY)
    expect(await lastBody(upstreams.up)).toBe(WITH_DEFAULT)
  }
})

test('OpenAI gets gpt-3.5-turbo; Azure, which has it in the path, and presets of others get none', async () => {
  for (const [preset, body] of [
    ['openai', WITH_DEFAULT],
    ['azure', BODY],
    ['vllm', BODY],
    ['llamacpp', BODY],
  ] as const) {
    const { chat, upstreams } = await start({
      upstreams: { up: answerAs('up') },
      settings: { up: { preset, auth: 'caller' } },
    })
    await chat(BODY)
    expect([preset, await lastBody(upstreams.up)]).toEqual([preset, body])
  }
})

test('in a chain of OpenAI and a local server each gets what is its own', async () => {
  const { chat, upstreams } = await start({
    upstreams: { openai: fail(503), local: fail(503), named: answerAs('named') },
    settings: { openai: OPENAI },
    file: {
      models: {
        'gpt-3.5-turbo': {
          targets: [{ upstream: 'openai' }, { upstream: 'local' }, { upstream: 'named', model: 'llama3.2' }],
        },
      },
    },
  })
  expect((await chat(BODY)).status).toBe(200)
  expect(await lastBody(upstreams.openai)).toBe(WITH_DEFAULT)
  expect(await lastBody(upstreams.local)).toBe(BODY)
  expect(await lastBody(upstreams.named)).toBe(WITH_DEFAULT.replace('gpt-3.5-turbo', 'llama3.2'))
  await chat(WITH_DEFAULT)
  expect(await lastBody(upstreams.local)).toBe(WITH_DEFAULT)
})

test('what rules add is kept where the model is left out', async () => {
  const targets = [{ upstream: 'openai' }, { upstream: 'local' }]
  const chain = { upstreams: { openai: fail(503), local: answerAs('local') }, settings: { openai: OPENAI } }
  const models = { 'gpt-*': { targets } }
  const capped = await start({
    ...chain,
    file: { models, params: [{ defaults: { max_tokens: 5 }, match: { model: 'gpt-3.5*' } }] },
  })
  await capped.chat(BODY)
  expect(JSON.parse(await lastBody(capped.upstreams.openai))).toEqual({
    model: 'gpt-3.5-turbo',
    messages: MESSAGES,
    max_tokens: 5,
  })
  expect(JSON.parse(await lastBody(capped.upstreams.local))).toEqual({ messages: MESSAGES, max_tokens: 5 })
})
