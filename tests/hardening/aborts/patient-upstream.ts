import {
  type ReceivedRequest,
  startScriptedUpstream,
  type UpstreamConnection,
} from '../../helpers/scripted-upstream.ts'

/** The header that tells the upstream which abort a call is of. */
export const ABORT_HEADER = 'x-abort'
export const EVENT = `data: {"choices":[{"delta":{"content":"${'x'.repeat(200)}"}}]}\n\n`
export const LAST_EVENT = 'data: [DONE]\n\n'
/** The answer of the WebSocket's server to the one key that these clients send (RFC 6455 §1.3). */
const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n'
const LARGE = `"${'x'.repeat(400_000)}"`
const EVENTS_BEFORE_THE_END = 4
const EVENT_MS = 2

/** An upstream that goes on with each call until its connection is closed. */
export interface PatientUpstream {
  readonly url: string
  readonly port: number
  /** Resolves when the call of an abort has come. */
  readonly arrival: (id: string) => Promise<void>
  /** The aborts whose calls it is still at. */
  readonly openCalls: () => readonly string[]
  /** Closes the connections that are kept for later calls. */
  readonly closeIdle: () => void
  readonly close: () => Promise<void>
}

/**
 * Starts it. A call to `/waiting` is never answered, `/stream` is a stream without end, `/ending` one that ends, `/large` a long JSON answer
 * that nobody takes, a GET a WebSocket.
 */
export async function startPatientUpstream(): Promise<PatientUpstream> {
  const arrivals = new Map<string, () => void>()
  const arrived = new Set<string>()
  const open = new Map<UpstreamConnection, string>()
  const sockets = new Set<UpstreamConnection['socket']>()
  const upstream = await startScriptedUpstream(async (request, connection) => {
    sockets.add(connection.socket)
    const id = request.header(ABORT_HEADER) ?? ''
    open.set(connection, id)
    void connection.closed.then(() => {
      open.delete(connection)
      sockets.delete(connection.socket)
    })
    arrived.add(id)
    arrivals.get(id)?.()
    await answer(request, connection, () => open.delete(connection))
  })
  return {
    url: upstream.url,
    port: upstream.port,
    arrival: (id) => (arrived.has(id) ? Promise.resolve() : new Promise((resolve) => void arrivals.set(id, resolve))),
    openCalls: () => [...open.values()],
    closeIdle() {
      for (const socket of sockets) socket.destroy()
    },
    close: upstream.close,
  }
}

async function answer(request: ReceivedRequest, connection: UpstreamConnection, onEnd: () => void): Promise<void> {
  const [, kind] = /^\/v1\/(?:responses\/)?(\w+)/.exec(request.target) ?? []
  if (request.method === 'GET') return connection.write(SWITCH)
  if (kind === 'waiting' || kind === 'files') return
  if (kind === 'large') {
    connection.respond(200, { 'content-type': 'application/json' }, LARGE)
    // All of it has gone to the system: the connection may be kept, where the gateway has read that.
    connection.socket.write('', () => onEnd())
    return
  }
  connection.startChunked(200, { 'content-type': 'text/event-stream' })
  for (let n = 0; !connection.socket.destroyed && (kind === 'stream' || n < EVENTS_BEFORE_THE_END); n += 1) {
    connection.chunk(EVENT)
    await Bun.sleep(EVENT_MS)
  }
  if (connection.socket.destroyed) return
  connection.chunk(LAST_EVENT)
  connection.endChunks()
  onEnd()
}
