import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { type Env, gatewayCommand } from '../helpers/gateway-under-test.ts'
import { getText, openRawClient, postText, sendRaw } from '../helpers/raw-client.ts'
import { type Script, type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

/** Every secret of these tests has this word in it, and says where it was put. */
const CANARY = 'canary'
const SERVER_KEY = 'sk-canary-server-key-0123456789'
const TOKEN = 'canary-api-token-0123456789'
const CALLER = {
  Authorization: 'Bearer sk-canary-caller-key-0123456789',
  Cookie: 'session=canary-cookie',
  'User-Agent': 'canary-agent',
  'X-Custom': 'canary-header',
  'OpenAI-Organization': 'canary-organization',
  // Not safe to log, so not logged.
  'X-Client-Request-Id': 'canary request id',
  'X-Request-Id': 'canary/request/id',
}
const PROMPT = '{"role":"user","content":"canary-prompt"}'
const QUERY = '?after=canary-query'

/** The fields that a line may have; whatever else turns up is a leak until somebody has thought about it. */
const ALLOWED = new Set([
  ...['level', 'time', 'msg'],
  ...['request_id', 'client_request_id', 'upstream_request_id', 'method', 'route', 'model', 'stream', 'status'],
  ...['outcome', 'bytes', 'ttfb_ms', 'upstream_ms', 'duration_ms', 'attempts', 'principal', 'error', 'cause'],
  ...['upstream', 'path', 'rule', 'rules', 'connection'],
])
const ALLOWED_AT_START = new Set([
  ...['level', 'time', 'msg', 'version', 'url', 'base_url', 'upstream', 'access', 'docs'],
])

/** What the upstream does, by the last part of the path. */
const SCRIPTS: Readonly<Record<string, Script>> = {
  json: (_request, { json }) => json({ answer: 'canary-answer' }, 200, { 'set-cookie': 'canary-set-cookie' }),
  refusal: (_request, { json }) => json({ error: { message: `Bad key ${SERVER_KEY} canary-error` } }, 401),
  reason: (_request, { write }) => write('HTTP/1.1 500 canary-reason\r\ncontent-length: 12\r\n\r\ncanary-body!'),
  page: (_request, { respond }) => respond(200, { 'content-type': 'text/html' }, '<html>canary-page</html>'),
  redirect: (_request, { respond }) => respond(307, { location: 'http://canary-location.invalid/?canary' }),
  reset: (_request, { reset }) => reset(),
  garbage: (_request, { write, socket }) => {
    write('canary-garbage\r\n\r\n')
    socket.end()
  },
  broken: (_request, { startChunked, chunk, reset }) => {
    startChunked(200, { 'content-type': 'text/event-stream' })
    chunk('data: {"text":"canary-event"}\n\n')
    setTimeout(reset, 20)
  },
  short: (_request, { write, socket }) => {
    write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"canary-short":')
    socket.end()
  },
  silent: () => undefined,
}

let upstream: ScriptedUpstream
beforeAll(async () => {
  upstream = await startScriptedUpstream(async (request, connection) => {
    const name = /mode=(\w+)/.exec(request.target)?.[1] ?? 'json'
    if (name !== 'silent') await request.body
    return SCRIPTS[name]?.(request, connection)
  })
})
afterAll(() => upstream.close())

/** One request after the other of everything that goes well, badly, and is none. */
async function sendAll(port: number, credentials: Readonly<Record<string, string>>): Promise<void> {
  const headers = { ...CALLER, ...credentials }
  const chat = `{"model":"m","messages":[${PROMPT}],"stream":true}`
  for (const mode of Object.keys(SCRIPTS)) {
    await sendRaw(port, postText(`/v1/chat/completions${QUERY}&mode=${mode}`, chat, headers)).catch(() => undefined)
    await sendRaw(port, getText(`/v1/files/canary-file-id${QUERY}&mode=${mode}`, headers)).catch(() => undefined)
  }
  const form =
    '--b\r\nContent-Disposition: form-data; name="file"; filename="canary-file-name.wav"\r\n\r\ncanary-upload\r\n--b--\r\n'
  const requests = [
    postText('/v1/audio/transcriptions', form, { ...headers, 'Content-Type': 'multipart/form-data; boundary=b' }),
    postText('/v1/chat/completions', `{"messages":[${PROMPT}`, headers),
    postText('/v1/chat/completions', '{"messages":"canary-wrong-type"}', headers),
    postText('/v1/chat/completions', `{"messages":[${PROMPT}],"model":7}`, headers),
    postText('/v1/chat/completions', 'canary-not-gzip', { ...headers, 'Content-Encoding': 'gzip' }),
    postText('/v1/completions', '{"prompt":"canary-prompt"}', { ...headers, 'Content-Type': 'text/canary' }),
    getText('/canary-unknown-path', headers),
    getText('/v1/canary-unknown-resource', headers),
    getText('/v1/../canary-dots', headers),
    getText('http://canary-absolute.example/v1/models', headers),
    getText('/v1/models', { ...headers, Host: 'canary host' }),
    getText('/docs?canary', headers),
    getText('/v1/models', { ...headers, Authorization: 'Bearer canary-wrong-token-0123456789' }),
    getText('/v1/models', { ...headers, Authorization: 'Basic Y2FuYXJ5OmNhbmFyeQ==' }),
    getText('/v1/canary', headers, 'CANARY'),
    getText('canary.example:443', headers, 'CONNECT'),
    getText('/v1/models', { ...headers, 'X-Big': CANARY.repeat(10_000) }),
    'canary-no-http\r\n\r\n',
    `GET /v1/models HTTP/1.1\r\nHost: localhost\r\ncanary header\r\n\r\n`,
    getText(`/v1/realtime${QUERY}`, {
      ...headers,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol': 'realtime, openai-insecure-api-key.canary-subprotocol',
    }),
  ]
  for (const bytes of requests) await sendRaw(port, bytes).catch(() => undefined)
  // And one that leaves while it uploads.
  const leaving = await openRawClient(port)
  leaving.write(postText('/v1/files?mode=silent', 'canary-upload'.repeat(100), headers).slice(0, -100))
  await upstream.request(upstream.requests.length + 1)
  leaving.leave()
}

async function check(
  env: Env,
  credentials: Readonly<Record<string, string>>,
  secrets: readonly string[],
): Promise<void> {
  const gateway: TestGateway = await startGateway({
    env: {
      OPENAI_API_BASE: `${upstream.url}/v1`,
      FIRST_BYTE_TIMEOUT_MS: '150',
      STREAM_IDLE_TIMEOUT_MS: '150',
      LOG_LEVEL: 'trace',
      ...env,
    },
    command: gatewayCommand(),
  })
  await sendAll(gateway.port, credentials)
  await gateway.line(({ outcome }) => outcome === 'cancelled')
  gateway.child?.kill('SIGTERM')
  expect(await gateway.child?.exited).toBe(0)
  const log = gateway.lines.map((line) => JSON.stringify(line))
  for (const text of [...log, gateway.stderr()]) {
    expect(text.toLowerCase()).not.toContain(CANARY)
    for (const secret of secrets) expect(text).not.toContain(secret)
  }
  expect(gateway.stderr()).toBe('')
  const [first = {}, ...lines] = gateway.lines
  expect(Object.keys(first).filter((key) => !ALLOWED_AT_START.has(key))).toEqual([])
  const others = lines.filter(({ msg }) => msg === 'exchange' || msg === 'malformed request')
  expect(others.length).toBeGreaterThan(2 * Object.keys(SCRIPTS).length + 18)
  for (const line of others) expect(Object.keys(line).filter((key) => !ALLOWED.has(key))).toEqual([])
  // Nothing of this was a defect of ours.
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([])
}

test('never keys, tokens, prompts or answers: the log of open doors, at its most talkative', () =>
  check({ OPENAI_API_KEY: SERVER_KEY, OPENAI_ORG_ID: 'canary-org' }, {}, []))

test('never keys, tokens, prompts or answers: the log of a guarded server, at its most talkative', () =>
  check(
    { OPENAI_API_KEY: SERVER_KEY, REQUIRE_AUTH: 'true', API_TOKEN: TOKEN },
    { Authorization: `Bearer ${TOKEN}` },
    [],
  ))
