import type { ServerWebSocket } from 'bun'
import { createQueue } from './queue.ts'

/** An event on a WebSocket. */
export type SessionEvent = Readonly<Record<string, unknown>> & { readonly type: string }

/** What a session's upstream does about one event of its client. */
export type SessionScript = (event: SessionEvent, say: (event: object) => void) => void

/** An upstream whose WebSockets are sessions of JSON events, at any path. */
export interface WebSocketUpstream extends AsyncDisposable {
  readonly url: string
  /** The bodies that were posted to it, and the texts that came on its WebSockets, in order. */
  readonly posted: string[]
  readonly received: string[]
  /** Resolves with the next event that comes; each is given once. */
  readonly next: () => Promise<SessionEvent>
  /** Says something on the session that was opened last. */
  readonly say: (event: object) => void
  /** Ends it without a word. */
  readonly drop: () => void
  /** Resolves when a session has been closed. */
  readonly closed: Promise<void>
  readonly handshakes: Headers[]
}

/** Starts one on a free port of 127.0.0.1. What is posted is answered by `post`. */
export async function startWebSocketUpstream(script: SessionScript = () => undefined): Promise<WebSocketUpstream> {
  const queue = createQueue<SessionEvent>()
  const closed = Promise.withResolvers<void>()
  const [posted, received, handshakes]: [string[], string[], Headers[]] = [[], [], []]
  let last: ServerWebSocket<unknown> | undefined
  const say = (event: object): void => void last?.sendText(JSON.stringify(event))
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request, own) {
      if (request.headers.get('upgrade') === null) {
        posted.push(await request.text())
        return Response.json({ id: 'resp_posted', object: 'response', status: 'completed', output: [], usage: USED })
      }
      handshakes.push(new Headers(request.headers))
      return own.upgrade(request, { data: undefined }) ? undefined : new Response('no', { status: 400 })
    },
    websocket: {
      perMessageDeflate: true,
      open(socket) {
        last = socket
      },
      message(socket, data) {
        const text = String(data)
        received.push(text)
        const event = JSON.parse(text) as SessionEvent
        queue.add(event)
        script(event, (said) => void socket.sendText(JSON.stringify(said)))
      },
      close: () => closed.resolve(),
    },
  })
  const stop = async (): Promise<void> => server.stop(true)
  return {
    url: `http://127.0.0.1:${server.port}`,
    posted,
    received,
    handshakes,
    next: queue.next,
    say,
    drop: () => last?.terminate(),
    closed: closed.promise,
    [Symbol.asyncDispose]: stop,
  }
}

const USED = { input_tokens: 100, output_tokens: 50, total_tokens: 150 }

/** Makes each response that is asked for at once, with a usage of 100 and 50 tokens, as `/v1/responses` does. */
export const respondAtOnce: SessionScript = (event, say) => {
  if (event.type !== 'response.create') return
  const { model } = event
  const response = { id: `resp_${crypto.randomUUID()}`, object: 'response', model }
  say({ type: 'response.created', response: { ...response, status: 'in_progress', usage: null } })
  say({ type: 'response.output_text.delta', delta: 'hello' })
  say({ type: 'response.completed', response: { ...response, status: 'completed', output: [], usage: USED } })
}
