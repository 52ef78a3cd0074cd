import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  relayWebSocket,
  type WebSocketOutcome,
  type WebSocketRelay,
} from '../../src/server/websocket/websocket-relay.ts'
import { createQueue } from './queue.ts'
import { peerOf, type SocketPeer } from './websocket-peer.ts'

/** An upstream that accepts connections, and whose every byte is the test's. */
export interface BareUpstream extends AsyncDisposable {
  readonly url: URL
  /** Resolves with the next connection. */
  readonly accept: () => Promise<SocketPeer>
  readonly close: () => void
}

/** Starts one on a free port of 127.0.0.1; its sockets stay open when the other side ends. */
export async function startBareUpstream(): Promise<BareUpstream> {
  const sockets = new Set<Socket>()
  const accepted = createQueue<SocketPeer>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    accepted.add(peerOf(socket))
  })
  const port = await listen(server)
  const close = (): void => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    accept: accepted.next,
    close,
    [Symbol.asyncDispose]: async () => close(),
  }
}

/** A server whose upgrades go through the relay. */
export interface RelayServer extends AsyncDisposable {
  readonly port: number
  /** Resolves with how the next relayed upgrade ended. */
  readonly outcome: () => Promise<WebSocketOutcome>
  /** Connects, and writes an upgrade request with these extra header lines and these bytes behind it. */
  readonly open: (extra?: { readonly lines?: readonly string[]; readonly early?: Uint8Array }) => Promise<SocketPeer>
  readonly close: () => void
}

/** What of a relay is not the default. */
export type RelayOverrides = Partial<Omit<WebSocketRelay, 'client' | 'head' | 'url'>>

/** The target that every upgrade of a rig is for. */
export const TARGET = "/v1/realtime?model=gpt-realtime&x=%7B%20'|"

/** Starts a relaying server in front of an upstream; a client left unanswered gets the outcome's bare status. */
export async function startRelayServer(url: URL, overrides: RelayOverrides = {}): Promise<RelayServer> {
  const outcomes = createQueue<WebSocketOutcome>()
  const clients = new Set<Duplex>()
  const server = createHttpServer()
  server.on('upgrade', async (message: IncomingMessage, client: Duplex, head: Uint8Array) => {
    clients.add(client)
    const outcome = await relayWebSocket({
      client,
      head,
      url,
      target: message.url ?? '',
      headers: websocketHeaders(message),
      timeouts: { firstByteMs: 5_000, idleMs: 5_000 },
      responseHeaders: [],
      ...overrides,
    })
    if (!outcome.answered) client.end(`HTTP/1.1 ${outcome.status} Unanswered\r\nConnection: close\r\n\r\n`)
    outcomes.add(outcome)
  })
  const port = await listen(server)
  const close = (): void => {
    for (const client of clients) client.destroy()
    server.closeAllConnections()
    server.close()
  }
  return {
    port,
    outcome: outcomes.next,
    async open({ lines = [], early = new Uint8Array() } = {}) {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      clients.add(socket)
      const peer = peerOf(socket)
      await new Promise<void>((resolve) => void socket.once('connect', () => resolve()))
      peer.write(Buffer.concat([Buffer.from(upgradeRequest(lines), 'latin1'), early]))
      return peer
    },
    close,
    [Symbol.asyncDispose]: async () => close(),
  }
}

/** A relaying server in front of an upstream. */
export interface Relay extends AsyncDisposable {
  readonly server: RelayServer
  readonly bare: BareUpstream
}

/** Starts an upstream and a relaying server in front of it. */
export async function startRelay(overrides?: RelayOverrides): Promise<Relay> {
  const bare = await startBareUpstream()
  const server = await startRelayServer(bare.url, overrides)
  return {
    server,
    bare,
    async [Symbol.asyncDispose]() {
      server.close()
      bare.close()
    },
  }
}

/** A client and an upstream with a relay between them that has switched. */
export interface Link {
  readonly client: SocketPeer
  readonly upstream: SocketPeer
  readonly outcome: Promise<WebSocketOutcome>
}

/** Opens a WebSocket through the relay and lets the upstream accept it. */
export async function openLink(server: RelayServer, bare: BareUpstream): Promise<Link> {
  const outcome = server.outcome()
  const client = await server.open()
  const upstream = await bare.accept()
  await upstream.readHead()
  upstream.write(SWITCH)
  await client.readHead()
  return { client, upstream, outcome }
}

/** The least that an upstream answers an upgrade with. */
export const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

function upgradeRequest(lines: readonly string[]): string {
  const all = [
    `GET ${TARGET} HTTP/1.1`,
    'Host: gateway.example',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...lines,
  ]
  return `${all.join('\r\n')}\r\n\r\n`
}

/** The caller of a relay filters and adds credentials; here all but the hop's own headers go. */
function websocketHeaders({ rawHeaders }: IncomingMessage): (readonly [string, string])[] {
  const headers: [string, string][] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? ''])
  }
  return headers
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  return (server.address() as AddressInfo).port
}
