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
async function post(body: string, { port } = gateway): Promise<{ readonly answer: string; readonly sent?: string }> {
  const before = upstream.requests.length
  const answer = statusAndCode(await sendRaw(port, postText('/v1/chat/completions', body, KEY)))
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

test('a long body is read as a whole where a rule or a stage has a say', async () => {
  const env = { OPENAI_API_BASE: `${upstream.url}/v1`, CACHE: 'memory' }
  const cached = await startGateway({ env })
  try {
    expect(await post(long(',tru'), cached)).toEqual({ answer: REFUSED })
  } finally {
    await cached.stop()
  }
})
