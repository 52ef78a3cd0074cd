import { expect, test } from 'bun:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { perTest } from '../helpers/per-test.ts'
import { postText } from '../helpers/raw-client.ts'
import { errorOf, refusalOf } from '../helpers/received-answers.ts'
import { lastBody, lastRequest } from '../helpers/received-requests.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

/** Odd whitespace, a big integer, a float with a zero, keys in no order, an escape that no writer would make. */
const ODD =
  '{ "seed": 90071992547409931,\t"max_tokens" : 5000 ,\r\n"messages":[ {"content":"\\u0068i","role":"user"}],"model":"smart" , "n": 1.0 }'
const CAP = { clamp: { max_tokens: { max: 1500 } } }

function withRules(...params: readonly object[]) {
  return { upstreams: { only: answerOk }, file: { params } }
}

test.each([
  '/v1/chat/completions',
  '/v1/responses',
  '/v1/embeddings',
  '/v1/images/generations',
  '/v1/things/new',
  '/embeddings',
])('a clamp changes its number in the body of %s, and no other byte; the length is the new one', async (path) => {
  const { chat, upstreams } = await start(withRules(CAP))
  expect((await chat(ODD, {}, path)).status).toBe(200)
  const expected = ODD.replace('5000', '1500')
  expect(await lastBody(upstreams.only)).toBe(expected)
  expect(lastRequest(upstreams.only).header('content-length')).toBe(String(Buffer.byteLength(expected)))
  const shorter = { ...CAP, clamp: { max_tokens: { max: 9 } } }
  const other = await start(withRules(shorter))
  await other.chat(ODD, {}, path)
  const short = ODD.replace('5000', '9')
  expect(await lastBody(other.upstreams.only)).toBe(short)
  expect(lastRequest(other.upstreams.only).header('content-length')).toBe(String(Buffer.byteLength(short)))
})

test('text completions keep to the rules too, and a body that satisfies them goes on byte for byte', async () => {
  const { chat, upstreams } = await start(withRules(CAP))
  const text = '{"prompt":"x" ,"max_tokens":5000,"model":"m"}'
  await chat(text, {}, '/v1/completions')
  expect(await lastBody(upstreams.only)).toBe(text.replace('5000', '1500'))
  const modest = ODD.replace('5000', '15e2')
  for (const path of ['/v1/chat/completions', '/v1/responses']) {
    await chat(modest, {}, path)
    expect(await lastBody(upstreams.only)).toBe(modest)
  }
})

test('all operations together change their places only, in the order of the rules', async () => {
  const { chat, upstreams } = await start(
    withRules(
      { defaults: { temperature: 0.7, n: 3 }, rename: { max_tokens: 'max_completion_tokens' }, drop: ['logit_bias'] },
      { overrides: { user: 'shared' }, clamp: { max_tokens: { max: 1500 }, temperature: { max: 0.5 } } },
    ),
  )
  const sent =
    '{ "model":"smart", "user":"me","logit_bias":{"1":2},  "max_tokens" : 5000,"n":1.0,"messages":[{"role":"user","content":"hi"}] }'
  expect((await chat(sent)).status).toBe(200)
  expect(await lastBody(upstreams.only)).toBe(
    '{"temperature":0.5, "model":"smart", "user":"shared",  "max_completion_tokens" : 1500,"n":1.0,"messages":[{"role":"user","content":"hi"}] }',
  )
})

test('one cap covers max_tokens, max_completion_tokens and max_output_tokens, whichever the caller uses', async () => {
  const { chat, upstreams } = await start(withRules(CAP))
  for (const name of ['max_tokens', 'max_completion_tokens', 'max_output_tokens']) {
    for (const path of ['/v1/chat/completions', '/v1/responses']) {
      await chat(JSON.stringify({ model: 'm', messages: MESSAGES, [name]: 99_999 }), {}, path)
      expect(JSON.parse(await lastBody(upstreams.only))).toMatchObject({ [name]: 1500 })
    }
  }
  await chat({ model: 'm', max_tokens: 9000, max_completion_tokens: 8000 })
  expect(JSON.parse(await lastBody(upstreams.only))).toMatchObject({ max_tokens: 1500, max_completion_tokens: 1500 })
})

test('null counts as absent: a clamp leaves it, a default takes its place, require refuses it', async () => {
  const clamped = await start(withRules(CAP))
  const withNull = '{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens" : null}'
  await clamped.chat(withNull)
  expect(await lastBody(clamped.upstreams.only)).toBe(withNull)
  const filled = await start(withRules({ ...CAP, defaults: { max_tokens: 1000 } }))
  await filled.chat(withNull)
  expect(await lastBody(filled.upstreams.only)).toBe(withNull.replace('null', '1000'))
  const required = await start(withRules({ require: ['max_tokens'] }))
  expect(await errorOf(await required.chat(withNull))).toMatchObject([400, { param: 'max_tokens' }])
  expect(required.upstreams.only.requests).toHaveLength(0)
})

test.each([
  ['a name that a rule is about', '{"model":"m","messages":[],"max_tokens":1,"max_tokens":5000}', 'max_tokens'],
  ['another name of the cap', '{"model":"m","max_output_tokens":1,"max_output_tokens":5000}', 'max_output_tokens'],
  ['an escaped name', '{"model":"m","messages":[],"max_tokens":1,"max\\u005ftokens":5000}', 'max_tokens'],
])('%s that occurs twice is refused, and nothing goes upstream', async (_what, body, param) => {
  const { chat, upstreams } = await start(withRules(CAP))
  for (const path of ['/v1/responses', '/v1/embeddings']) {
    const [status, error] = await errorOf(await chat(body, {}, path))
    expect(status).toBe(400)
    expect(error).toEqual({
      message: `Parameter '${param}' occurs more than once. This server has a rule for it and takes it only once.`,
      type: 'invalid_request_error',
      param,
      code: 'rules_not_applicable',
    })
  }
  expect(upstreams.only.requests).toHaveLength(0)
})

test.each([
  ['{"model":"m","Max_Tokens":5000}', 'Max_Tokens'],
  ['{"model":"m","max_tokens":1,"MAX_TOKENS":5000}', 'MAX_TOKENS'],
  ['{"model":"m","max_to\u212aens":5000}', 'max_to\u212aens'],
  ['{"model":"m","max_completion_token\\u017f":5000}', 'max_completion_token\u017f'],
  ['{"model":"m","reasoning":{"Effort":"high"}}', 'reasoning.Effort'],
  ['{"model":"m","REASONING":{"effort":"high"}}', 'REASONING'],
])(
  'a name that some upstreams take for one of a rule, as case does not count for them, is refused: %s',
  async (body, param) => {
    const gateway = await start(withRules({ ...CAP, deny: ['reasoning.effort'] }))
    const refused = await refusalOf(gateway.port, postText('/v1/responses', body))
    expect(refused).toEqual({ status: 400, param, code: 'rules_not_applicable' })
    expect(gateway.upstreams.only.requests).toHaveLength(0)
  },
)

test('names that occur twice and that no rule is about go on as they came', async () => {
  const { chat, upstreams } = await start(withRules(CAP))
  const body = '{"model":"m","messages":[{"role":"user","content":"hi"}],"user":"a","max_tokens":5000,"user":"b"}'
  await chat(body)
  expect(await lastBody(upstreams.only)).toBe(body.replace('5000', '1500'))
})

test('a gzip-encoded body goes on decoded where it was changed, and as it came where it was not', async () => {
  const gateway = await start(withRules(CAP))
  expect((await gateway.chat({ model: 'm' })).status).toBe(200)
  for (const path of ['/v1/chat/completions', '/v1/responses', '/v1/embeddings']) {
    for (const [text, isChanged] of [
      [ODD, true],
      [ODD.replace('5000', '50'), false],
    ] as const) {
      const encoded = gzipSync(text)
      const response = await fetch(`${gateway.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
        body: encoded,
      })
      expect(response.status).toBe(200)
      const request = lastRequest(gateway.upstreams.only)
      const body = Buffer.from(await request.body)
      expect(request.header('content-encoding')).toBe(isChanged ? undefined : 'gzip')
      expect(request.header('content-length')).toBe(String(body.byteLength))
      if (isChanged) expect(body.toString()).toBe(ODD.replace('5000', '1500'))
      else expect([body.equals(encoded), gunzipSync(body).toString()]).toEqual([true, text])
    }
  }
})

test('a body that comes in chunks is changed like one with a length', async () => {
  const gateway = await start(withRules(CAP))
  for (const path of ['/v1/chat/completions', '/v1/responses']) {
    const response = await fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new ReadableStream({
        start(controller) {
          for (const part of [ODD.slice(0, 40), ODD.slice(40)]) controller.enqueue(new TextEncoder().encode(part))
          controller.close()
        },
      }),
    })
    expect(response.status).toBe(200)
    expect(await lastBody(gateway.upstreams.only)).toBe(ODD.replace('5000', '1500'))
  }
})
