import { expect, setDefaultTimeout, test } from 'bun:test'
import { getText, openRawClient, postText, type RawClient, sendRaw } from '../helpers/raw-client.ts'
import { statusAndCode } from '../helpers/received-answers.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

setDefaultTimeout(60_000)

const KEY = { Authorization: 'Bearer sk-mine' }
const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'

/** Begins a request of which the first bytes of the body come, and waits until the gateway has them. */
async function begin(
  { port }: TestGateway<'openai'>,
  target: string,
  headers: Readonly<Record<string, string>>,
  first: string,
): Promise<RawClient> {
  const client = await openRawClient(port)
  // Who reads the body says so.
  client.write(getText(target, { ...KEY, Expect: '100-continue', ...headers }, 'POST'))
  await client.until((received) => received.includes('100 Continue'))
  client.write(first)
  return client
}

const JSON_TYPE = { 'Content-Type': 'application/json' }
const FILE_TYPE = { 'Content-Type': 'application/octet-stream' }
const LENGTH = { 'Content-Length': String(CHAT.length) }

test.each([
  ['/v1/chat/completions', LENGTH],
  ['/v1/completions', LENGTH],
  ['/v1/chat/completions', { 'Transfer-Encoding': 'chunked' }],
  ['/v1/responses', LENGTH],
  ['/v1/embeddings', LENGTH],
])(
  'a JSON call to %s whose body is still to come holds no place, and is served when it has come',
  async (target, framing) => {
    await using gateway = await startGateway({ upstreams: { openai: answerOk }, env: { MAX_IN_FLIGHT: '1' } })
    const isChunked = 'Transfer-Encoding' in framing
    const slow: RawClient[] = []
    for (let n = 0; n < 3; n += 1) {
      slow.push(await begin(gateway, target, { ...JSON_TYPE, ...framing }, isChunked ? `1\r\n{\r\n` : '{'))
    }
    expect((await sendRaw(gateway.port, postText('/v1/chat/completions', CHAT, KEY))).status).toBe(200)
    const rest = CHAT.slice(1)
    for (const client of slow) {
      client.write(isChunked ? `${rest.length.toString(16)}\r\n${rest}\r\n0\r\n\r\n` : rest)
      await client.until((received) => received.includes('HTTP/1.1 200'))
      client.leave()
    }
    expect((await gateway.upstreams.openai.requests.at(-1)?.body)?.byteLength).toBe(CHAT.length)
  },
)

test('uploads that go on as they come hold half of the places, and other calls have the rest', async () => {
  await using gateway = await startGateway({ upstreams: { openai: answerOk }, env: { MAX_IN_FLIGHT: '4' } })
  const headers = { ...FILE_TYPE, 'Content-Length': '10' }
  const slow = [await begin(gateway, '/v1/files', headers, 'a'), await begin(gateway, '/v1/files', headers, 'b')]
  const third = await openRawClient(gateway.port)
  third.write(`${getText('/v1/files', { ...KEY, ...headers }, 'POST')}a`)
  const refused = await third.response()
  expect([statusAndCode(refused), refused.headers.has('retry-after')]).toEqual(['503 overloaded', true])
  for (let n = 0; n < 3; n += 1)
    expect((await sendRaw(gateway.port, postText('/v1/embeddings', CHAT, KEY))).status).toBe(200)
  for (const client of slow) client.write('bcdefghij')
  for (const client of slow) expect((await client.response()).status).toBe(200)
  const next = await begin(gateway, '/v1/files', headers, 'a')
  for (const client of [...slow, third, next]) client.leave()
})

test.each(['/v1/chat/completions', '/v1/files'])(
  'a body to %s of which a little comes now and then is cut when its time is over, and leaves its place',
  async (target) => {
    await using gateway = await startGateway({
      upstreams: { openai: answerOk },
      env: { MAX_IN_FLIGHT: '1', UPLOAD_IDLE_TIMEOUT_MS: '1000', UPLOAD_MIN_RATE: '100' },
    })
    const client = await begin(gateway, target, { ...JSON_TYPE, 'Content-Length': '100000' }, '{')
    const drip = setInterval(() => client.write(' '), 100)
    const answer = await within(AT_ONCE_MS, 'the refusal', client.response()).finally(() => clearInterval(drip))
    expect(statusAndCode(answer)).toBe('408 upload_timeout')
    expect((await sendRaw(gateway.port, postText('/v1/chat/completions', CHAT, KEY))).status).toBe(200)
    client.leave()
  },
)

test('with UPLOAD_MIN_RATE=0 a body may come as slowly as it likes', async () => {
  await using gateway = await startGateway({
    upstreams: { openai: answerOk },
    env: { UPLOAD_IDLE_TIMEOUT_MS: '1000', UPLOAD_MIN_RATE: '0' },
  })
  const client = await begin(
    gateway,
    '/v1/chat/completions',
    { ...JSON_TYPE, 'Content-Length': String(CHAT.length + 20) },
    CHAT,
  )
  for (let n = 0; n < 20; n += 1) {
    await Bun.sleep(60)
    client.write(' ')
  }
  await client.until((received) => received.includes('HTTP/1.1 200'))
  client.leave()
})

test('one holder of a token has no more than its share of the places while another wants some', async () => {
  await using gateway = await startGateway({
    upstreams: { openai: answerOk },
    env: {
      MAX_IN_FLIGHT: '4',
      REQUIRE_AUTH: 'true',
      API_TOKEN: 'alice:alice-0123456789abcdef,bob:bob-0123456789abcdef',
    },
  })
  const hold = Promise.withResolvers<void>()
  gateway.upstreams.openai.play(async (_request, { json }) => {
    await hold.promise
    json({ ok: true })
  })
  const call = (token: string) =>
    sendRaw(gateway.port, postText('/v1/chat/completions', CHAT, { Authorization: `Bearer ${token}` }))
  const held = [call('bob-0123456789abcdef')]
  await gateway.upstreams.openai.request(1)
  held.push(call('alice-0123456789abcdef'), call('alice-0123456789abcdef'))
  await gateway.upstreams.openai.request(3)
  expect(statusAndCode(await call('alice-0123456789abcdef'))).toBe('503 overloaded')
  held.push(call('bob-0123456789abcdef'))
  await gateway.upstreams.openai.request(4)
  hold.resolve()
  expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200, 200, 200])
})
