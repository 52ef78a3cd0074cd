import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import {
  CREDENTIAL_HEADERS,
  KEY_HEADERS,
  KEY_SUBPROTOCOL,
  SUBPROTOCOLS_HEADER,
} from '../../src/formats/http/credential-headers.ts'
import { extensionFiles } from '../helpers/extension-files.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { openRawClient } from '../helpers/raw-client.ts'
import { runProgram } from '../helpers/run-program.ts'
import type { ReceivedRequest, Script } from '../helpers/scripted-upstream.ts'
import { type GatewayOptions, startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerAs } from '../helpers/upstream-scripts.ts'

setDefaultTimeout(60_000)

const RUNS = 300
const TOKEN = 'token-canary-of-the-server-0123456789'
const SERVER_KEY = 'sk-of-the-server-0123456789'
/** What each secret of a caller has in it: the ends of a wrong key may be shown, this never. */
const CANARY = 'canary'

const folder = mkdtempSync(join(tmpdir(), 'nexcode-credentials-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A header line of a caller, by the header's name. */
type Line = readonly [name: string, value: string]

const SCHEMES = ['Bearer ', 'bearer  ', 'Token ', ''] as const

/** How a credential may be written into its header. */
function written(name: string, secret: string): fc.Arbitrary<string> {
  if (name === 'cookie') return fc.constantFrom(`sid=${secret}`, `theme=dark; sid=${secret}; __cf_bm=1`)
  if (name === SUBPROTOCOLS_HEADER) {
    const key = KEY_SUBPROTOCOL + secret
    return fc.constantFrom(key, `realtime, ${key}`, `${key},realtime`, `realtime ,${key} , openai-beta.realtime-v1`)
  }
  return fc.oneof(
    fc.constantFrom(...SCHEMES).map((scheme) => scheme + secret),
    fc.constant(`Basic ${btoa(`user:${secret}`)}`),
  )
}

const spelt = (name: string) =>
  fc.constantFrom(
    name,
    name.toUpperCase(),
    name.replace(/\b[a-z]/g, (a) => a.toUpperCase()),
  )

const credential = (name: string, secret: string): fc.Arbitrary<Line> => fc.tuple(spelt(name), written(name, secret))

/** Some of the list's headers, each with a secret of its own. */
const credentials: fc.Arbitrary<readonly Line[]> = fc
  .subarray([...CREDENTIAL_HEADERS], { minLength: 1 })
  .chain((names) => fc.tuple(...names.map((name, at) => credential(name, `sk-${CANARY}-${at}-0123456789abc`))))

/** The same with a token of this server's, which lets them in, in front of the others. */
const withToken: fc.Arbitrary<readonly Line[]> = fc
  .tuple(credentials, fc.constantFrom(...KEY_HEADERS, SUBPROTOCOLS_HEADER))
  .chain(([lines, name]) => {
    const before = [...KEY_HEADERS, SUBPROTOCOLS_HEADER]
    const earlier = new Set<string>(before.slice(0, before.indexOf(name) + 1))
    const others = lines.filter(([other]) => !earlier.has(other.toLowerCase()))
    return (name === SUBPROTOCOLS_HEADER ? fc.constant(KEY_SUBPROTOCOL + TOKEN) : fc.constant(`Bearer ${TOKEN}`)).map(
      (value): readonly Line[] => [[name, value], ...others],
    )
  })

/** What is asked for: answers, refusals, errors of ours and of an upstream, WebSockets; each is asked twice, for the cache. */
const KINDS = {
  chat: { model: 'MODEL', messages: [{ role: 'user', content: 'hi' }] },
  embedding: { model: 'MODEL', input: 'hi' },
  invalid: { model: 'MODEL', messages: 'none' },
  broken: '{"model":',
  files: undefined,
  socket: undefined,
} as const
const kind = fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[]))
const PATHS = { embedding: '/v1/embeddings', files: '/v1/files', socket: '/v1/realtime?model=MODEL' } as const
const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'

/** Sends a request on a connection of its own, and gives all that comes back. */
async function ask(port: number, what: keyof typeof KINDS, model: string, lines: readonly Line[]): Promise<string> {
  const content = KINDS[what]
  const path = (what in PATHS ? PATHS[what as keyof typeof PATHS] : '/v1/chat/completions').replace('MODEL', model)
  const body =
    content === undefined
      ? ''
      : (typeof content === 'string' ? content : JSON.stringify(content)).replace('MODEL', model)
  const type = `Content-Type: application/json\r\nIdempotency-Key: ${what}\r\nContent-Length: ${body.length}\r\n`
  const head = what === 'socket' ? UPGRADE : body === '' ? '' : type
  const client = await openRawClient(port)
  client.write(
    `${body === '' ? 'GET' : 'POST'} ${path} HTTP/1.1\r\nHost: localhost\r\n${head}${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  )
  await client.response()
  client.leave()
  return client.received().toString('latin1')
}

/** A request as it stood on the wire. */
const wireOf = ({ target, headerLines }: ReceivedRequest): string =>
  [target, ...headerLines.map((line) => line.join(': '))].join('\n')

/** Whether a text has a caller's secret in it, as it is or as `Basic` has it. */
function leaks(text: string): boolean {
  const coded = text.match(/[A-Za-z0-9+/]{16,}={0,2}/g) ?? []
  return text.includes(CANARY) || coded.some((one) => Buffer.from(one, 'base64').toString('latin1').includes(CANARY))
}

const failing: Script = async (request, connection) => {
  await request.body
  connection.json({ error: { message: 'full', type: 'server_error', param: null, code: null } }, 503)
}

const { write } = extensionFiles()
/** Tells in the answer all that it has seen of the request. */
const telling = write(
  'telling',
  "const seen = request.url + ' ' + JSON.stringify([...request.headers]) + JSON.stringify(context); const answer = await next(request); answer.headers.set('x-seen', encodeURIComponent(seen)); return answer",
)

const MODELS = {
  // `caller` refuses, and the next one is asked.
  both: { targets: [{ upstream: 'caller' }, { upstream: 'lent' }] },
  lent: { targets: [{ upstream: 'lent' }] },
  open: { targets: [{ upstream: 'open' }] },
}
const model = fc.constantFrom(...Object.keys(MODELS))

const UPSTREAMS = { caller: failing, lent: answerAs('lent'), open: answerAs('open') }
const OPTIONS = {
  upstreams: UPSTREAMS,
  settings: { caller: { auth: 'caller' }, lent: { api_key: SERVER_KEY }, open: { auth: 'none' } },
  file: { models: MODELS, default_upstream: 'lent', cache: {}, debug_headers: true },
} as const

const GATEWAYS: Readonly<
  Record<string, Pick<GatewayOptions, 'env' | 'file'> & { readonly lines: typeof credentials }>
> = {
  'with a key of the caller’s own': { lines: credentials },
  'with a token of this server’s': { lines: withToken, env: { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN } },
  'with a wrong token': { lines: credentials, env: { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN } },
  'through an extension': { lines: credentials, file: { extensions: [telling] } },
  'through an extension, with a token': {
    lines: withToken,
    file: { extensions: [telling] },
    env: { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN },
  },
}

describe('no header that carries a credential reaches another upstream, an answer, the log or the cache', () => {
  test.each(Object.entries(GATEWAYS))('%s', async (name, { lines, env, file }) => {
    const store = join(folder, `${name.replace(/\W/g, '-')}.db`)
    const gateway: TestGateway<keyof typeof UPSTREAMS> = await startGateway({
      ...OPTIONS,
      file: { ...OPTIONS.file, ...file },
      env: { ...env, LOG_LEVEL: 'trace', CACHE: `sqlite:${store}` },
    })
    const { caller, ...others } = gateway.upstreams
    let answered = 0
    await fc.assert(
      fc.asyncProperty(lines, kind, model, async (sent, what, asked) => {
        for (let times = 0; times < 2; times += 1) {
          const answer = await ask(gateway.port, what, asked, sent)
          if (answer.startsWith('HTTP/1.1 200')) answered += 1
          expect(leaks(decodeURIComponent(answer.replaceAll(/%(?![0-9A-F]{2})/g, '%25')))).toBe(false)
        }
      }),
      { numRuns: RUNS },
    )
    // What is for a proxy is for no upstream, and a token of ours is not even for the one that takes a caller's key.
    const isOwn = env === undefined
    expect(caller.requests.map(wireOf).some((wire) => /^proxy-authorization/im.test(wire))).toBe(false)
    expect(caller.requests.map(wireOf).some(leaks)).toBe(isOwn)
    for (const { requests } of Object.values(others)) {
      expect(requests.map(wireOf).filter(leaks)).toEqual([])
    }
    if (name !== 'with a wrong token') {
      expect(answered).toBeGreaterThan(0)
      expect(others.lent.requests.length).toBeGreaterThan(0)
      expect(others.open.requests.length).toBeGreaterThan(0)
    }
    await gateway.stop()
    expect(gateway.lines.length).toBeGreaterThan(RUNS)
    expect(gateway.lines.map((line) => JSON.stringify(line)).filter(leaks)).toEqual([])
    const kept = readdirSync(folder).filter((file) => file.startsWith(store.slice(folder.length + 1)))
    expect(kept.length).toBeGreaterThan(0)
    for (const file of kept) expect(leaks(readFileSync(join(folder, file), 'latin1'))).toBe(false)
  })
})

test('no such header gets into a cassette', async () => {
  const cassettes = join(folder, 'cassettes')
  await using gateway = await startGateway({
    ...OPTIONS,
    command: [...gatewayCommand(), 'record', '--to', cassettes],
  })
  await fc.assert(
    fc.asyncProperty(credentials, kind, model, async (sent, what, asked) => {
      await ask(gateway.port, what, asked, sent)
    }),
    { numRuns: 30 },
  )
  gateway.child?.kill('SIGTERM')
  expect(await gateway.child?.exited).toBe(0)
  const files = readdirSync(cassettes)
  expect(files.length).toBeGreaterThan(0)
  for (const file of files) expect(leaks(readFileSync(join(cassettes, file), 'latin1'))).toBe(false)
})

test('nor into what `nexcode explain` says', async () => {
  const upstreams = { one: { base_url: 'http://127.0.0.1:9/v1', auth: 'caller' } }
  writeFileSync(join(folder, 'nexcode.yaml'), JSON.stringify({ upstreams }))
  const [lines = []] = fc.sample(
    fc.tuple(...CREDENTIAL_HEADERS.map((name) => credential(name, `sk-${CANARY}-0123456789`))),
    1,
  )
  const headers = Object.fromEntries(lines)
  const request = { path: '/v1/chat/completions', headers, principal: 'caller', body: KINDS.chat }
  writeFileSync(join(folder, 'request.json'), JSON.stringify(request))
  for (const args of [[], ['--json']]) {
    const { code, stdout, stderr } = await runProgram(['explain', 'request.json', ...args], {}, { cwd: folder })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('caller')
    expect(leaks(stdout)).toBe(false)
  }
})
