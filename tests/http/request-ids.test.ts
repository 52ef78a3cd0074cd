import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { getText, postText, sendRaw } from '../helpers/raw-client.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const KEY = { Authorization: 'Bearer sk-mine' }
const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: answerOk } })
})

beforeEach(() => gateway.upstreams.openai.play(answerOk))

afterAll(() => gateway.stop())

test("the upstream's own x-request-id wins", async () => {
  gateway.upstreams.openai.play(async (request, { json }) => {
    await request.body
    json({ ok: true }, 200, { 'X-Request-Id': 'req_upstream' })
  })
  for (const bytes of [
    postText('/v1/chat/completions', CHAT, KEY),
    getText('/v1/models', { ...KEY, 'X-Request-Id': 'mine' }),
  ]) {
    const answer = await sendRaw(gateway.port, bytes)
    expect(answer.headers.get('x-request-id')).toBe('req_upstream')
  }
})

test('where the upstream sets no x-request-id, ours is set, another one each time, and is in the log', async () => {
  const first = await sendRaw(gateway.port, postText('/v1/chat/completions', CHAT, KEY))
  const second = await sendRaw(gateway.port, getText('/v1/models', KEY))
  const ids = [first, second].map(({ headers }) => headers.get('x-request-id') ?? '')
  for (const id of ids) {
    expect(id).toMatch(/^req_[0-9a-f]{32}$/)
    expect((await gateway.line(({ request_id }) => request_id === id))['msg']).toBe('exchange')
  }
  expect(ids[0]).not.toBe(ids[1] ?? '')
})

test('errors of ours carry a request id too', async () => {
  const requests = [getText('/unknown', KEY), getText('/v1/..', KEY), postText('/v1/completions', '')]
  for (const bytes of requests) {
    expect((await sendRaw(gateway.port, bytes)).headers.get('x-request-id')).toMatch(/^req_/)
  }
})

test("a safe x-request-id and X-Client-Request-Id of the caller's are logged and echoed", async () => {
  const headers = { ...KEY, 'X-Request-Id': 'My.id:1_2-3', 'X-Client-Request-Id': 'client-7' }
  const answer = await sendRaw(gateway.port, getText('/v1/models', headers))
  expect(answer.headers.get('x-request-id')).toBe('My.id:1_2-3')
  expect(answer.headers.get('x-client-request-id')).toBe('client-7')
  const line = await gateway.line(({ request_id }) => request_id === 'My.id:1_2-3')
  expect(line['client_request_id']).toBe('client-7')
  expect(lastRequest(gateway.upstreams.openai).header('x-client-request-id')).toBe('client-7')
})

test("an unsafe id of the caller's is neither logged nor echoed", async () => {
  for (const id of ['a b', '<script>', 'a"b', 'x'.repeat(129), '{"a":1}', 'é', 'a,b', '../x']) {
    const bytes = Buffer.from(
      getText('/v1/models', { ...KEY, 'X-Request-Id': id, 'X-Client-Request-Id': id }),
      'latin1',
    )
    const answer = await sendRaw(gateway.port, bytes)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/)
    expect(answer.headers.has('x-client-request-id')).toBe(false)
  }
})
