import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { getText, postText, sendRaw } from '../helpers/raw-client.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const KEY = { Authorization: 'Bearer sk-mine' }
const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'
const OWN = /^(x-nexcode-|server-timing)/

let quiet: TestGateway<'openai'>
let talkative: TestGateway<'openai'>
beforeAll(async () => {
  quiet = await startGateway({ upstreams: { openai: answerOk }, env: { OPENAI_API_KEY: 'sk-the-servers-own-key' } })
  talkative = await startGateway({ upstreams: { openai: answerOk }, env: { DEBUG_HEADERS: 'true' } })
})
beforeEach(() => {
  quiet.upstreams.openai.play(answerOk)
  talkative.upstreams.openai.play(answerOk)
})
afterAll(async () => {
  await quiet.stop()
  await talkative.stop()
})

test('DEBUG_HEADERS=true: Server-Timing and x-nexcode-* tell where the time went', async () => {
  talkative.upstreams.openai.play(async (request, connection) => {
    await request.body
    await Bun.sleep(60)
    connection.json({}, 200, { 'server-timing': 'model;dur=5', 'x-request-id': 'req_upstream' })
  })
  for (const bytes of [postText('/v1/chat/completions', CHAT, KEY), getText('/v1/models', KEY)]) {
    const { headers } = await sendRaw(talkative.port, bytes)
    const timing = /^model;dur=5, nexcode;dur=(\d+\.\d\d), upstream;dur=(\d+\.\d\d)$/.exec(
      headers.get('server-timing') ?? '',
    )
    expect(Number(timing?.[2])).toBeGreaterThan(50)
    expect(Number(timing?.[1])).toBeGreaterThanOrEqual(0)
    expect(headers.get('x-nexcode-request-id')).toMatch(/^req_[0-9a-f]{32}$/)
    expect(headers.get('x-nexcode-upstream')).toBe(`127.0.0.1:${talkative.upstreams.openai.port}`)
    expect(headers.get('x-nexcode-attempts')).toBe('1')
    expect(headers.get('x-request-id')).toBe('req_upstream')
    expect(await talkative.line(({ request_id }) => request_id === headers.get('x-nexcode-request-id'))).toMatchObject({
      upstream_request_id: 'req_upstream',
    })
  }
})

test('DEBUG_HEADERS is off by default: an answer has none of ours', async () => {
  for (const bytes of [
    postText('/v1/chat/completions', CHAT, KEY),
    getText('/health'),
    getText('/v1/nothing/here', KEY),
  ]) {
    const { headers } = await sendRaw(quiet.port, bytes)
    expect([...headers.keys()].filter((name) => OWN.test(name))).toEqual([])
  }
})

test("an encoded error that is too large to be searched for the server's key is not passed on", async () => {
  const body = new Uint8Array(1_200_000)
  quiet.upstreams.openai.play((_request, connection) =>
    connection.respond(500, { 'content-type': 'application/octet-stream', 'content-encoding': 'gzip' }, body),
  )
  const answer = await sendRaw(quiet.port, getText('/v1/models'))
  expect(answer.status).toBe(502)
  expect(answer.json()).toMatchObject({ error: { code: 'upstream_invalid_response' } })
})
