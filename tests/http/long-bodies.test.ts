import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openAiPreset } from '../helpers/openai-preset.ts'
import { postText, sendRaw } from '../helpers/raw-client.ts'
import { statusAndCode } from '../helpers/received-answers.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

/** What an upstream answers that does not understand a body. */
const THEIRS = { error: { message: 'theirs', type: 'invalid_request_error', param: null, code: 'theirs' } }
/** OpenAI has no code for a body that is no JSON. */
const REFUSED = '400 null'
const KEY = { Authorization: 'Bearer sk-mine' }
const LONG = 'word '.repeat(20_000)

let upstream: ScriptedUpstream
let gateway: TestGateway
const file = openAiPreset()

beforeAll(async () => {
  upstream = await startScriptedUpstream((_request, connection) => connection.json(THEIRS, 400))
  gateway = await startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1`, OPENAI_MODEL: 'the-default' } })
})

afterAll(async () => {
  await gateway.stop()
  await upstream.close()
  file.remove()
})

/** Posts a body; gives the status and code of the answer, and the body that went upstream, if one did. */
async function post(
  body: string,
  { port } = gateway,
  path = '/v1/chat/completions',
): Promise<{ readonly answer: string; readonly sent?: string }> {
  const before = upstream.requests.length
  const answer = statusAndCode(await sendRaw(port, postText(path, body, KEY)))
  const received = upstream.requests.at(before)
  return received === undefined ? { answer } : { answer, sent: new TextDecoder().decode(await received.body) }
}

/** A long body with a text of its own at the end of its messages, and another behind these. */
function long(inMessages: string, behind = ''): string {
  return `{"model":"m","messages":[{"role":"user","content":"${LONG}"}${inMessages}]${behind}}`
}

test.each([
  ['a list that is no JSON', long(', tru')],
  ['an escape that JSON does not have', long(',{"role":"user","content":"\\x"}')],
  ['a comma too many', long(',')],
])('what is wrong within the messages of a long body is the upstream’s to judge: %s', async (_, body) => {
  const { answer, sent } = await post(body)
  expect(answer).toBe('400 theirs')
  expect(sent === body).toBe(true)
})

test.each([
  ['it does not end', long('').slice(0, -1)],
  ['its messages do not end', long('').slice(0, -2)],
  ['a string does not end', long('').slice(0, -4)],
  ['a bracket is closed by another one', `${long('').slice(0, -2)}}}`],
  ['a text stands behind it', `${long('')} x`],
  ['a member has no value', long('', ',"n":')],
  ['a value is no word of JSON', long('', ',"stream":tru')],
  ['a name is no string', long('', ',stream:true')],
  ['a comma is missing', long('', ' "n":1')],
  ['it is a list', `[${long('')}]`],
])('a long body that is certainly no object of JSON is refused here: %s', async (_, body) => {
  expect(await post(body)).toEqual({ answer: REFUSED })
})

test('a short body is read as a whole', async () => {
  expect(await post('{"model":"m","messages":[tru]}')).toEqual({ answer: REFUSED })
})

test.each([
  ['empty objects', `[${'{},'.repeat(1024 * 1024)}{}]`],
  ['lists within lists', '['.repeat(1024 * 1024) + ']'.repeat(1024 * 1024)],
])('a list that is not looked into makes no values, so there are none too many: %s', async (_, list) => {
  expect((await post(long('', `,"x":${list}`))).answer).toBe('400 theirs')
})

test('a long body that names no model gets OPENAI_MODEL and keeps every other byte', async () => {
  const members = `"messages":[{"role":"user","content":"\\"model\\":1,${LONG}","model":"inner"}] , "stream":false`
  const { sent } = await post(` {${members}}`)
  expect(sent === ` {"model":"the-default",${members}}`).toBe(true)
})

test('a long body of a wrong shape goes to OpenAI, too, which judges it', async () => {
  const openai = await startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1`, NEXCODE_CONFIG: file.path } })
  try {
    expect((await post('{"model":"m","messages":[1]}', openai)).answer).toBe('400 invalid_type')
    expect((await post(long(',1'), openai)).answer).toBe('400 theirs')
  } finally {
    await openai.stop()
  }
})

test('a long body is read as a whole where its beginning decides on its target', async () => {
  const targets = [{ upstream: 'one' }]
  const upstreams = { one: { base_url: `${upstream.url}/v1` } }
  const sticky = await startGateway({ file: { upstreams, models: { m: { strategy: 'affinity', targets } } } })
  try {
    expect(await post(long(',tru'), sticky)).toEqual({ answer: REFUSED })
  } finally {
    await sticky.stop()
  }
})

test.each([
  ['messages', long(',tru', ',"seed":1')],
  ['tools, which decide about the cache', long('', ',"seed":1,"tools":[tru]')],
])('a long body is not looked into for a cache either, and a refusal of it is not kept: %s', async (_, body) => {
  const cached = await startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1`, CACHE: 'memory' } })
  try {
    for (const answer of ['400 theirs', '400 theirs']) expect(await post(body, cached)).toEqual({ answer, sent: body })
  } finally {
    await cached.stop()
  }
})

/** Models and rules before the upstream. */
const ruledFile = (): object => ({
  upstreams: { one: { base_url: `${upstream.url}/v1` }, two: { base_url: `${upstream.url}/v1` } },
  models: { smart: { targets: [{ upstream: 'one', model: 'gpt-5' }, { upstream: 'two' }] } },
  unknown_models: 'refuse',
  params: [{ clamp: { max_tokens: { max: 100 } } }, { deny: ['logit_bias'] }],
})
const TOOL = { type: 'function', function: { name: 'f', parameters: { type: 'object', properties: { model: {} } } } }
const TOOLS = `,"tools":${JSON.stringify(Array.from({ length: 20 }, () => TOOL))}`

test('rules and models read of a long body only what they judge, and edit the received bytes', async () => {
  const ruled = await startGateway({ file: ruledFile() })
  try {
    const body = long(',tru', `${TOOLS},"max_tokens":9000`).replace('"m"', '"smart"')
    const { answer, sent } = await post(body, ruled)
    expect(answer).toBe('400 theirs')
    expect(sent === body.replace('"smart"', '"gpt-5"').replace('9000', '100')).toBe(true)
  } finally {
    await ruled.stop()
  }
})

test.each([
  ['a model in a tool', long('', ',"tools":[{"type":"image","model":"secret"}]'), '404 model_not_found'],
  ['a second model', long('', ',"m\\u006fdel":"smart"'), '400 rules_not_applicable'],
  ['a model in another spelling', long('', ',"MODEL":"smart"'), '400 rules_not_applicable'],
  ['a tool with two values for one name', long('', ',"tools":[{"x":1,"x":2}]'), '400 rules_not_applicable'],
  ['a cap in a tool', long('', ',"tools":[{"max_tokens":9000}]'), '400 parameter_not_allowed'],
  ['a comment that hides a model', long('/*"*/ ],"model":"secret","x":[ /*"*/'), '400 null'],
  ['a denied parameter in extra_body', long('', ',"extra_body":{"logit_bias":{}}'), '400 rules_not_applicable'],
  ['a denied parameter that is long', long('', `,"logit_bias":{"1":${'1'.repeat(2000)}}`), '400 parameter_not_allowed'],
])('what rules and models refuse is refused in a long body, too: %s', async (_, body, refusal) => {
  const ruled = await startGateway({ file: ruledFile() })
  try {
    expect(await post(body.replace('"m"', '"smart"'), ruled)).toEqual({ answer: refusal })
  } finally {
    await ruled.stop()
  }
})

/** A long body of `/v1/responses`, with a text of its own at the end of its input. */
const longInput = (inInput: string): string =>
  `{"model":"smart","input":[{"role":"user","content":"${LONG}"}${inInput}],"max_output_tokens":9}`

test.each([
  ['rules and models', ruledFile],
  [
    'two upstreams',
    () => ({ upstreams: { one: { base_url: `${upstream.url}/v1` }, two: { base_url: 'http://x/v1' } } }),
  ],
])('the input of a long response is not looked into either, where there are %s', async (_, makeFile) => {
  const ruled = await startGateway({ file: makeFile() })
  try {
    const { answer, sent } = await post(longInput(',{"arguments":"{\\"params\\":{}}"},tru'), ruled, '/v1/responses')
    expect(answer).toBe('400 theirs')
    expect(sent?.endsWith('tru],"max_output_tokens":9}')).toBe(true)
  } finally {
    await ruled.stop()
  }
})

test.each([
  ['a call', ',{"params":{"model":"secret"}}', '404 model_not_found'],
  ['a call whose name has an escape', ',{"b\\u006fdy":{"model":"secret"}}', '404 model_not_found'],
  ['a call in a list that is no JSON', ',{"body":{}},tru', REFUSED],
])('an input that may hold calls is read where models are judged: %s', async (_, inInput, refusal) => {
  const ruled = await startGateway({ file: ruledFile() })
  try {
    expect(await post(longInput(inInput), ruled, '/v1/responses')).toEqual({ answer: refusal })
  } finally {
    await ruled.stop()
  }
})

test.each([
  ['a list', `[${longInput('')}]`],
  ['an object that does not end', longInput('').slice(0, -1)],
  ['a member that is to be judged and is no JSON', longInput('').replace('{', '{"tools":[tru],')],
])('a long body that need not be JSON goes on as it came: %s', async (_, body) => {
  const two = await startGateway({
    file: {
      upstreams: { one: { base_url: `${upstream.url}/v1` } },
      models: { smart: { targets: [{ upstream: 'one', model: 'gpt-5' }] } },
    },
  })
  try {
    const { answer, sent } = await post(body, two, '/v1/responses')
    expect(answer).toBe('400 theirs')
    expect(sent === body).toBe(true)
  } finally {
    await two.stop()
  }
})

test('a body of many lists, each short enough to be parsed at once, counts as one: too many values in it are too many', async () => {
  const judging = await startGateway({
    file: {
      upstreams: { one: { base_url: `${upstream.url}/v1` } },
      models: { smart: { targets: [{ upstream: 'one' }] } },
    },
  })
  const list = `[${'"a",'.repeat(7000)}1]`
  const bodyOf = (count: number): string =>
    `{"model":"smart","messages":[],${Array.from({ length: count }, (_one, at) => `"t${at}":${list}`).join(',')}}`
  try {
    expect((await post(bodyOf(2), judging)).answer).toBe('400 theirs')
    expect((await post(bodyOf(400), judging)).answer).toBe('413 too_many_values')
  } finally {
    await judging.stop()
  }
})
