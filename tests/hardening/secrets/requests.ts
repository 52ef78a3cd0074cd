import { gzipSync } from 'node:zlib'
import { createRandom, type Random } from '../random.ts'
import { canary } from './canaries.ts'
import { CASE, FORM, FORMS, INSIDE, MODE, MODES } from './echo-upstream.ts'

/** A request, and what of it is to be known when its answer is judged. */
export interface Shot {
  readonly number: number
  readonly bytes: Buffer
  /** The upstream is told to report a failure inside a good answer. */
  readonly isInside: boolean
  /** The secrets in it, to be looked for by their digests. */
  readonly secrets: readonly string[]
  /** Whether the client leaves as soon as it has sent it. */
  readonly isLeft: boolean
}

/** Who asks: the holder of a token, or somebody with a key of their own. */
export type Asker = 'holder' | 'caller'

interface Draft {
  readonly method: string
  readonly target: string
  readonly type?: string
  readonly body?: string | Buffer
  readonly lines?: readonly string[]
}

/** The canaries of one case. */
function words(number: number) {
  return {
    key: canary('key', number),
    session: canary('ses', number),
    named: canary('nam', number),
    prompt: canary('pro', number),
    file: canary('fil', number),
    word: canary('pat', number),
  }
}

type Words = ReturnType<typeof words>

/** Makes the request of a case, with a canary in each of its places: the seed and the number determine it. */
export function makeShot(number: number, seed: number, asker: Asker): Shot {
  const random = createRandom(seed, `case-${number}`)
  const said = words(number)
  const { method, target, type = 'application/json', body, lines = [] } = random.pick(DRAFTS)(said, random)
  const mode = random.pick(MODES)
  const head = [
    'Host: localhost',
    `X-Request-Id: case-${number}`,
    `${CASE}: ${number}`,
    `${MODE}: ${mode}`,
    `${FORM}: ${random.pick(FORMS)}`,
    credentialOf(asker, said, random),
    ...EXTRAS.filter(() => random.percent(30)).map((write) => write(said)),
    ...lines,
    ...(body === undefined ? [] : [`Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`]),
    ...(lines.length === 0 ? ['Connection: close'] : []),
  ]
  return {
    number,
    isInside: INSIDE.has(mode),
    bytes: Buffer.concat([
      Buffer.from(`${method} ${target} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`),
      Buffer.from(body ?? ''),
    ]),
    secrets: [said.key, said.session, said.named],
    isLeft: random.percent(5),
  }
}

/** Now and then the wrong one, or none. */
function credentialOf(asker: Asker, { key }: Words, random: Random): string {
  const right = asker === 'holder' ? canary('tok') : key
  return random.pick([
    ...Array.from({ length: 8 }, () => `Authorization: Bearer ${right}`),
    `x-api-key: ${right}`,
    `Authorization: Basic ${btoa(`me:${right}`)}`,
    `Authorization: Bearer ${key}`,
    'X-None: 1',
  ])
}

const EXTRAS: readonly ((said: Words) => string)[] = [
  ({ session }) => `Cookie: a=b; session=${session}`,
  ({ word }) => `X-Custom: ${word}`,
  ({ word }) => `User-Agent: ${word}`,
  ({ word }) => `Referer: https://x.test/${word}?q=${word}`,
  ({ word }) => `OpenAI-Organization: ${word}`,
  ({ word }) => `Idempotency-Key: ${word}`,
  // Not safe to log, so not logged.
  ({ word }) => `X-Client-Request-Id: not safe ${word}`,
  ({ key }) => `X-Goog-Api-Key: ${key}`,
  ({ key }) => `api-key: ${key}`,
  ({ key }) => `Proxy-Authorization: Basic ${btoa(`me:${key}`)}`,
  ({ word }) => `traceparent: ${word}`,
]

const chat = ({ prompt }: Words, more: object = {}): string =>
  JSON.stringify({ model: 'm', messages: [{ role: 'user', content: `say ${prompt}` }], ...more })
const post = (target: string, body: string | Buffer, type?: string): Draft => ({
  method: 'POST',
  target,
  body,
  ...(type !== undefined && { type }),
})
const CHAT = '/v1/chat/completions'
const part = (name: string, value: string, more = ''): string =>
  `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`

/** What is asked: good and bad, with a body and without. */
const DRAFTS: readonly ((said: Words, random: Random) => Draft)[] = [
  (said) => post(CHAT, chat(said)),
  (said) => post(CHAT, chat(said, { stream: true })),
  (said) => post(CHAT, chat(said, { metadata: { api_key: said.named }, user: said.word })),
  (said) => post(CHAT, chat(said, { temperature: said.word, n: said.word })),
  (said) => post(CHAT, chat(said, { [said.word]: { password: said.named } })),
  (said) =>
    post(
      CHAT,
      chat(said, {
        tools: [{ type: 'mcp', server_url: 'https://x', authorization: said.named, headers: { 'X-A': said.named } }],
      }),
    ),
  (said) => post(CHAT, chat(said, { tool_choice: { arguments: JSON.stringify({ client_secret: said.named }) } })),
  // Cut, twice the same name, no JSON, no object, a wrong type.
  (said, random) => post(CHAT, chat(said).slice(0, 60 + random.below(40))),
  (said) => post(CHAT, `{"messages":"${said.prompt}","messages":"${said.prompt}"}`),
  (said) => post(CHAT, said.prompt),
  (said) => post(CHAT, `["${said.prompt}"]`),
  (said) => post(CHAT, JSON.stringify({ model: 'm', messages: said.prompt })),
  (said) => ({ ...post(CHAT, gzipSync(chat(said))), lines: ['Content-Encoding: gzip', 'Connection: close'] }),
  (said) => ({
    ...post(CHAT, gzipSync(chat(said)).subarray(0, -9)),
    lines: ['Content-Encoding: gzip', 'Connection: close'],
  }),
  (said) => post('/v1/completions', JSON.stringify({ model: 'm', prompt: said.prompt })),
  (said) => post('/v1/embeddings', JSON.stringify({ model: 'm', input: [said.prompt] })),
  (said) => post('/v1/responses', JSON.stringify({ model: 'm', input: said.prompt, safety_identifier: said.word })),
  (said) =>
    post(
      '/v1/files',
      `${part('purpose', 'batch')}${part('api_key', said.named)}${part('file', said.file, `; filename="${said.file}.txt"`)}--b--\r\n`,
      'multipart/form-data; boundary=b',
    ),
  (said) => post('/v1/uploads/u/parts', said.file, 'application/octet-stream'),
  (said) =>
    post('/v1/x', `model=m&client_secret=${said.named}&text=${said.prompt}`, 'application/x-www-form-urlencoded'),
  (said) => ({ method: 'GET', target: `/v1/files?after=${said.word}&api%5Fkey=${said.named}&sig=${said.named}` }),
  (said) => ({ method: 'GET', target: `/v1/files/${said.word}/content` }),
  (said) => ({ method: 'DELETE', target: `/v1/${said.word}/${said.word}` }),
  (said) => ({ method: 'GET', target: `/${said.word}` }),
  (said) => ({ method: 'GET', target: `/v1/../${said.word}?key=${said.named}` }),
  (said) => ({ method: 'GET', target: `//${said.word}/v1` }),
  (said) => ({ method: 'PROPFIND', target: `/v1/files?key=${said.named}` }),
  (said) => ({ method: 'GET', target: '/v1/files', lines: [`X-Bad: ${said.word}\u0001`, 'Connection: close'] }),
  (said) => ({ method: 'GET', target: '/v1/files', lines: [`${said.word} without a colon`, 'Connection: close'] }),
  (said) => ({
    method: 'GET',
    target: '/v1/files',
    lines: [`X-Long: ${said.word}${'x'.repeat(20_000)}`, 'Connection: close'],
  }),
  (said) => ({
    method: 'GET',
    target: `/v1/realtime?model=m&token=${said.named}`,
    lines: [
      ...[
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      ],
      `Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.${said.key}`,
    ],
  }),
]
