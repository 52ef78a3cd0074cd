/**
 * A program of its own: an upstream whose answers are as large and as dense as `x-play` says, `KIND MIB`. It reads all that comes and keeps
 * nothing. Prints its port.
 */
const MIB = 1024 * 1024
const ANSWER = { id: 'chatcmpl-1', object: 'chat.completion', model: 'real', choices: [] }
const EVENT = '{"id":"chatcmpl-1","object":"chat.completion.chunk","model":"real","choices":[]}'
const END = 'data: [DONE]\n\n'
const JSON_TYPE = 'application/json'
const EVENTS_TYPE = 'text/event-stream'

type Play = readonly [type: string, text: (bytes: number) => string]

function times(text: string, bytes: number): string {
  return text.repeat(Math.max(1, Math.floor(bytes / text.length)))
}

function jsonWith(member: string): string {
  return `${JSON.stringify(ANSWER).slice(0, -1)},${member}}`
}

/** What an answer can be like. */
const PLAYS: Readonly<Record<string, Play>> = {
  text: [JSON_TYPE, (bytes) => jsonWith(`"x":"${times('a', bytes)}"`)],
  escapes: [JSON_TYPE, (bytes) => jsonWith(`"x":"${times('\\n\\"', bytes)}"`)],
  values: [JSON_TYPE, (bytes) => jsonWith(`"error":null,"x":[${times('{"a":[]},', bytes)}0]`)],
  vectors: [JSON_TYPE, (bytes) => jsonWith(`"error":null,"data":[[${times('-0.0123456,', bytes)}0]]`)],
  models: [
    JSON_TYPE,
    (bytes) => `{"object":"list","data":[${times('{"id":"of/some-model","object":"model"},', bytes)}{}]}`,
  ],
  ids: [
    JSON_TYPE,
    (bytes) => `{"object":"list","data":[${times('{"id":"resp_0123456789","object":"response"},', bytes)}{}]}`,
  ],
  events: [EVENTS_TYPE, (bytes) => times(`data: ${EVENT}\n\n`, bytes) + END],
  'short-events': [EVENTS_TYPE, (bytes) => times('data:\n\n', bytes) + END],
  comments: [EVENTS_TYPE, (bytes) => times(':\n\n', bytes) + END],
  'data-lines': [EVENTS_TYPE, (bytes) => `${times('data:\n', bytes)}\n${END}`],
  'one-event': [EVENTS_TYPE, (bytes) => `data: ${EVENT.slice(0, -1)},"x":"${times('a', bytes)}"}\n\n${END}`],
  'one-dense-event': [EVENTS_TYPE, (bytes) => `data: {"error":null,"x":[${times('{"a":[]},', bytes)}0]}\n\n${END}`],
  'line-feeds': [EVENTS_TYPE, (bytes) => times('\n', bytes) + END],
  'carriage-returns': [EVENTS_TYPE, (bytes) => times('\r', bytes) + END],
  'mixed-line-ends': [EVENTS_TYPE, (bytes) => times('\r\n\n\r\r\n', bytes) + END],
  page: ['text/plain', (bytes) => times('no answer at all\r\n', bytes)],
}

/** Made once: what it takes to make them is not what is measured. */
const made = new Map<string, Uint8Array<ArrayBuffer>>()

function bodyOf(play: string, text: Play[1], mib: number): Uint8Array<ArrayBuffer> {
  const known = made.get(play)
  if (known !== undefined) return known
  const bytes = new TextEncoder().encode(text(mib * MIB))
  made.set(play, bytes)
  return bytes
}

const listening = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  idleTimeout: 0,
  maxRequestBodySize: 2 ** 31,
  async fetch(request) {
    for await (const _ of request.body ?? []);
    const play = request.headers.get('x-play') ?? ''
    const [kind = '', mib, coding, status] = play.split(' ')
    const found = PLAYS[kind]
    if (found === undefined) return Response.json(ANSWER)
    const [type, text] = found
    const plain = bodyOf(play, text, Number(mib))
    const isEncoded = coding === 'gzip'
    const headers = { 'content-type': type, ...(isEncoded && { 'content-encoding': 'gzip' }) }
    return new Response(isEncoded ? Bun.gzipSync(plain) : plain, { headers, status: Number(status ?? 200) })
  },
})
process.stdout.write(`${listening.port}\n`)

export {}
