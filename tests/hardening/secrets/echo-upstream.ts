import { gzipSync } from 'node:zlib'
import {
  type ReceivedRequest,
  type ScriptedUpstream,
  startScriptedUpstream,
  type UpstreamConnection,
} from '../../helpers/scripted-upstream.ts'

/** Headers by which a request says which case it is, and what is to be made of it. */
export const CASE = 'x-case'
export const MODE = 'x-mode'
export const FORM = 'x-form'

/** In which form the upstream repeats what it got. */
export const FORMS = ['plain', 'base64', 'url', 'hex', 'json'] as const
/** What the upstream does. */
export const MODES = [
  ...['ok', 'ok', 'stream', 'echo', '400', '401', '403', '404', '409', '422', '429', '500', '503', '302', '307'],
  ...['reset', 'garbage', 'cut', 'page', 'reason', 'header'],
  ...['inside', 'event', 'encoded', 'untold', 'trailer', 'name'],
] as const
/** Those in which a good answer reports a failure, and repeats all of it. */
export const INSIDE: ReadonlySet<string> = new Set(['inside', 'event', 'encoded'])

/** An upstream that repeats all that it gets. */
export interface EchoUpstream {
  readonly upstream: ScriptedUpstream
  /** Whether a case has come here. */
  readonly has: (number: number) => boolean
}

/** Starts it. */
export async function startEchoUpstream(): Promise<EchoUpstream> {
  const seen = new Set<number>()
  const upstream = await startScriptedUpstream(async (request, connection) => {
    seen.add(Number(request.header(CASE)))
    const body = Buffer.from(await request.body).toString('latin1')
    const lines = request.headerLines.map(([name, value]) => `${name}: ${value}`)
    const all = `${request.method} ${request.target}\n${lines.join('\n')}\n\n${body.slice(0, 2000)}`
    answer(request, connection, encode(all, request.header(FORM) ?? 'plain'))
  })
  return { upstream, has: (number) => seen.has(number) }
}

function encode(text: string, form: string): string {
  if (form === 'base64') return Buffer.from(text).toString('base64')
  if (form === 'url') return encodeURIComponent(text)
  if (form === 'hex') return Buffer.from(text).toString('hex')
  if (form === 'json')
    return Array.from(text, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  return text
}

function answer(request: ReceivedRequest, connection: UpstreamConnection, echo: string): void {
  const mode = request.header(MODE) ?? 'ok'
  const line = echo.replaceAll(/[\r\n]/g, ' ').slice(0, 3000)
  const json = { 'content-type': 'application/json' }
  if (/^\d+$/.test(mode)) {
    const status = Number(mode)
    const sent = encodeURIComponent(line.slice(0, 1000))
    const location = status < 400 ? { location: `https://login.test/?sent=${sent}` } : {}
    connection.respond(status, { ...json, ...location }, `{"error":{"message":${JSON.stringify(echo)}}}`)
    return
  }
  const ways: Readonly<Record<string, () => void>> = {
    reset: () => connection.reset(),
    garbage() {
      connection.write(`${line}\r\n\r\n`)
      connection.socket.end()
    },
    cut() {
      connection.startChunked(200, { 'content-type': 'text/event-stream' })
      connection.chunk('data: {"choices":[]}\n\n')
      setTimeout(connection.reset, 5)
    },
    page: () => connection.respond(200, { 'content-type': 'text/html' }, `<p>${echo}</p>`),
    reason: () => connection.write(`HTTP/1.1 500 ${line.slice(0, 500)}\r\ncontent-length: 2\r\n\r\n{}`),
    header: () => connection.respond(200, { ...json, 'x-sent': line }, COMPLETION),
    echo: () => connection.respond(200, json, JSON.stringify({ ...JSON.parse(COMPLETION), said: echo })),
    inside: () => connection.respond(200, json, JSON.stringify({ error: { message: echo } })),
    event() {
      connection.startChunked(200, { 'content-type': 'text/event-stream' })
      const event = `event: error\ndata: ${JSON.stringify({ error: { message: echo } })}\n\n`
      const cut = Math.floor(event.length / 3)
      for (const piece of [event.slice(0, cut), event.slice(cut, cut + 40), event.slice(cut + 40)])
        connection.chunk(piece)
      connection.endChunks()
    },
    encoded: () =>
      connection.respond(200, { ...json, 'content-encoding': 'gzip' }, gzipSync(JSON.stringify({ error: echo }))),
    untold: () =>
      connection.respond(500, { ...json, 'content-encoding': '' }, gzipSync(JSON.stringify({ error: echo }))),
    trailer() {
      connection.startChunked(200, { ...json, trailer: 'x-sent' })
      connection.write(`2\r\n{}\r\n0\r\nx-sent: ${line}\r\n\r\n`)
    },
    name: () =>
      connection.respond(200, { ...json, [/Bearer ([\w-]+)/.exec(echo)?.[1] ?? 'x-none']: 'yes' }, COMPLETION),
    stream() {
      connection.startChunked(200, { 'content-type': 'text/event-stream' })
      connection.chunk(
        'data: {"object":"chat.completion.chunk","choices":[{"delta":{"content":"hi"}}]}\n\ndata: [DONE]\n\n',
      )
      connection.endChunks()
    },
  }
  const way = ways[mode]
  if (way === undefined) connection.respond(200, json, COMPLETION)
  else way()
}

const COMPLETION =
  '{"id":"chatcmpl-1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'
