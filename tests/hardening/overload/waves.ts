import { getText, openRawClient, parseResponse, postText, type RawResponse } from '../../helpers/raw-client.ts'
import type { ScriptedUpstream, UpstreamConnection } from '../../helpers/scripted-upstream.ts'

const KEY = { Authorization: 'Bearer sk-mine' }
const CHAT = '{"model":"m","messages":[]}'
const CHAT_STREAM = '{"model":"m","messages":[],"stream":true}'
const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
} as const

/** What is asked for beyond the limit. */
export const ASKED: Readonly<Record<string, string>> = {
  chat: postText('/v1/chat/completions', CHAT, KEY),
  stream: postText('/v1/chat/completions', CHAT_STREAM, KEY),
  embeddings: postText('/v1/embeddings', CHAT, KEY),
  list: getText('/v1/models', KEY),
  upload: postText('/v1/files', CHAT, { ...KEY, 'Content-Type': 'application/octet-stream' }),
  websocket: getText('/v1/realtime?model=m', { ...KEY, ...UPGRADE }),
}

/** One that was turned away, or should have been. */
export interface Refusal {
  readonly response: RawResponse | undefined
  /** From the request's last byte to the answer's. */
  readonly ms: number
}

/** As many at the same moment: with more, what is measured is how fast this process reads their answers. */
const AT_ONCE = 32

/** Sends so many requests, 32 at the same moment, each on a connection that is open by then. */
export async function sendWave(port: number, bytes: string, count: number): Promise<Refusal[]> {
  const refusals: Refusal[] = []
  while (refusals.length < count) {
    refusals.push(...(await sendAtOnce(port, bytes, Math.min(AT_ONCE, count - refusals.length))))
  }
  return refusals
}

async function sendAtOnce(port: number, bytes: string, count: number): Promise<Refusal[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => openRawClient(port)))
  const refusals = clients.map(async (client): Promise<Refusal> => {
    const at = performance.now()
    client.write(bytes)
    const response = await client.response().catch(() => parseResponse(client.received()))
    const ms = performance.now() - at
    client.leave()
    return { response, ms }
  })
  return Promise.all(refusals)
}

/** Streams that hold all places for as long as they are wanted to. */
export interface HeldStreams {
  /** Lets each go on to its end; gives what is wrong with those that did not get all of it. */
  readonly finish: () => Promise<string[]>
}

const EVENT = 'data: {"n":1}\n\n'
const EVENTS_BETWEEN = 20
const EVENT_MS = 25
const END = 'data: [DONE]\n\n'

/** Opens so many streams, and sends an event in each of them while others are turned away. */
export async function holdStreams(port: number, upstream: ScriptedUpstream, count: number): Promise<HeldStreams> {
  const connections: UpstreamConnection[] = []
  const all = Promise.withResolvers<void>()
  upstream.play((_request, connection) => {
    connection.startChunked(200, { 'content-type': 'text/event-stream' })
    connection.chunk(EVENT)
    connections.push(connection)
    if (connections.length === count) all.resolve()
  })
  const clients = await Promise.all(Array.from({ length: count }, () => openRawClient(port)))
  for (const client of clients) client.write(postText('/v1/chat/completions', CHAT_STREAM, KEY))
  await all.promise
  await Promise.all(clients.map((client) => client.until((received) => received.includes(EVENT))))
  let sent = 1
  const timer = setInterval(() => {
    if (sent >= EVENTS_BETWEEN) return
    sent += 1
    for (const connection of connections) connection.chunk(EVENT)
  }, EVENT_MS)
  return {
    async finish() {
      clearInterval(timer)
      for (const connection of connections) {
        connection.chunk(END)
        connection.endChunks()
      }
      const wanted = EVENT.repeat(sent) + END
      const answers = await Promise.all(clients.map((client) => client.response().catch(() => undefined)))
      for (const client of clients) client.leave()
      const harmed = answers.filter((answer) => answer?.isComplete !== true || answer.text() !== wanted)
      return harmed.map((answer) => `a stream under way got ${answer?.body.byteLength ?? 0} of ${wanted.length} bytes`)
    },
  }
}
