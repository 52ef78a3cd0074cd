import { expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { postText, sendRaw } from '../helpers/raw-client.ts'
import { refusalOf } from '../helpers/received-answers.ts'
import { lastBody, lastRequest } from '../helpers/received-requests.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

/** Marks each request with the rules that matched it: the first is `a`, the next `b`, and so on. */
function marking(...matches: readonly object[]) {
  const params = matches.map((match, index) => ({ match, overrides: { [String.fromCharCode(97 + index)]: 1 } }))
  return { upstreams: { only: answerOk }, file: { params } }
}

async function marks(body: Promise<string>): Promise<string> {
  return Object.keys(JSON.parse(await body) as object)
    .filter((name) => name.length === 1)
    .sort()
    .join('')
}

test('a rule is chosen by its endpoint, with and without /v1, and with any query behind', async () => {
  const { chat, upstreams } = await start(
    marking({ endpoint: 'chat/completions' }, { endpoint: ['embeddings', 'responses'] }, { endpoint: '*' }),
  )
  for (const [path, expected] of [
    ['/v1/chat/completions', 'ac'],
    ['/chat/completions?x=1', 'ac'],
    ['/v1/embeddings', 'bc'],
    ['/embeddings', 'bc'],
    ['/v1/responses?stream=embeddings', 'bc'],
    ['/v1/completions', 'c'],
    ['/v1/audio/speech', 'c'],
  ] as const) {
    await chat({ model: 'm', prompt: 'x' }, {}, path)
    expect([path, await marks(lastBody(upstreams.only))]).toEqual([path, expected])
  }
})

test.each([
  '/v1/ch%61t/completions',
  '/v1/chat%2Fcompletions',
  '/v1/ch%2561t/completions',
  '/v1/chat//completions',
  '/v1//chat/completions',
  '/v1/chat/completions/',
  '/v1/Chat/COMPLETIONS',
  '/v1/chat/completions;a=b',
  '/v1/chat/completions%3Fa',
  '/v1/chat/completions%20',
  '/v1/openai/v1//chat/completions',
])('no spelling of a path gets past a rule for its endpoint: %s', async (path) => {
  const gateway = await start(marking({ endpoint: 'chat/completions' }))
  const bytes = postText(path, '{"model":"m","messages":[{"role":"user","content":"hi"}]}')
  expect(await refusalOf(gateway.port, bytes)).toEqual({ status: 400, param: null, code: 'rules_not_applicable' })
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('a path with /v1 twice is nobody’s, and so gets past no rule', async () => {
  const gateway = await start(marking({ endpoint: 'chat/completions' }))
  for (const path of ['/v1/v1/chat/completions', '/v1/v1/ch%61t/completions']) {
    expect((await sendRaw(gateway.port, postText(path, '{"model":"m","messages":[]}'))).status).toBe(404)
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('a rule is chosen by the model that the caller names, whatever the endpoint; none fits a rule for no model', async () => {
  const { chat, upstreams } = await start(marking({ model: 'gpt-*' }, { model: ['smart', '*-mini'] }, {}))
  for (const [model, expected] of [
    ['gpt-4o', 'ac'],
    ['gpt-4o-mini', 'abc'],
    ['smart', 'bc'],
    ['smarter', 'c'],
    [undefined, 'c'],
  ] as const) {
    for (const path of ['/v1/responses', '/v1/embeddings']) {
      await chat({ ...(model !== undefined && { model }) }, {}, path)
      expect([model, await marks(lastBody(upstreams.only))]).toEqual([model, expected])
    }
  }
})

test('a model that is written twice is not for a rule to choose by', async () => {
  const { chat, upstreams } = await start(marking({ model: 'gpt-*' }))
  const body = `{"model":"other","model":"gpt-4o","messages":${JSON.stringify(MESSAGES)}}`
  expect((await chat(body)).status).toBe(400)
  expect(upstreams.only.requests).toHaveLength(0)
})

test('a rule is chosen by a header’s value, and one that is not there fits nothing', async () => {
  const { chat, upstreams } = await start(
    marking({ header: { 'X-Team': 'red*' } }, { header: { 'x-team': '*', 'x-b': 'y' } }),
  )
  for (const [headers, expected] of [
    [{ 'x-team': 'red-1' }, 'a'],
    [{ 'X-TEAM': 'blue', 'x-b': 'y' }, 'b'],
    [{ 'x-b': 'y' }, ''],
    [{}, ''],
  ] as const) {
    await chat({ model: 'm' }, headers)
    expect([headers, await marks(lastBody(upstreams.only))]).toEqual([headers, expected])
  }
})

test('a rule is chosen by who calls: a local program, one with a key of its own, any token, one token', async () => {
  const matches = [{ principal: 'local' }, { principal: 'caller' }, { principal: 'token' }, { principal: 'alice' }]
  const open = await start(marking(...matches))
  await open.chat({ model: 'm' })
  expect(await marks(lastBody(open.upstreams.only))).toBe('a')
  await open.chat({ model: 'm' }, { authorization: 'Bearer sk-mine' })
  expect(await marks(lastBody(open.upstreams.only))).toBe('b')
  const tokens = ['token-one-0123456789', 'token-two-0123456789']
  const env = { REQUIRE_AUTH: 'true', API_TOKEN: `alice:${tokens[0]},bob:${tokens[1]}` }
  const closed = await start({ ...marking(...matches), env })
  for (const [index, expected] of ['cd', 'c'].entries()) {
    await closed.chat({ model: 'm' }, { authorization: `Bearer ${tokens[index]}` })
    expect(await marks(lastBody(closed.upstreams.only))).toBe(expected)
  }
})

test('the default model is put in first, and rules for it apply to the same body', async () => {
  const params = [
    { match: { model: 'the-default' }, clamp: { max_tokens: { max: 1500 } } },
    { match: { model: 'another' }, deny: ['max_tokens'] },
  ]
  const env = { OPENAI_MODEL: 'the-default' }
  const { chat, upstreams } = await start({ upstreams: { only: answerOk }, file: { params }, env })
  const body = '{ "max_tokens" : 5000, "messages": [{"role":"user","content":"hi"}] }'
  const expected = '{"model":"the-default", "max_tokens" : 1500, "messages": [{"role":"user","content":"hi"}] }'
  expect((await chat(body)).status).toBe(200)
  expect(await lastBody(upstreams.only)).toBe(expected)
  expect(lastRequest(upstreams.only).header('content-length')).toBe(String(expected.length))
  await chat(body.replace('5000', '50'))
  expect(await lastBody(upstreams.only)).toBe(expected.replace('1500', '50'))
})

test('a request without a body has nothing that a rule could be applied to', async () => {
  const gateway = await start(marking({}))
  for (const [method, path] of [
    ['GET', '/v1/models'],
    ['POST', '/v1/responses/resp_1/cancel'],
    ['DELETE', '/v1/files/file-1'],
  ] as const) {
    const response = await fetch(gateway.url + path, { method, headers: { 'content-type': 'application/json' } })
    expect([method, response.status]).toEqual([method, 200])
  }
  expect(gateway.upstreams.only.requests).toHaveLength(3)
})
