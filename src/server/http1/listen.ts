import type { TlsTexts } from '../../config/sections/server.ts'
import { MemoryBudget } from '../../exchange/memory-budget.ts'
import { ApiError } from '../../openai/api-error.ts'
import { ClientSocket, LINGER_MS } from './client-socket.ts'
import { Connection, type ConnectionDeps } from './connection.ts'
import { ConnectionRoom, type ConnectionRoomDeps, type Crowd } from './connection-room.ts'
import { createHeadMemories } from './head-memory.ts'
import { createInFlight, type InFlight } from './in-flight.ts'
import { StalledClients, type StalledCut } from './stalled-clients.ts'

/** The dependencies of a listening server. */
export interface Http1Deps extends ConnectionDeps {
  /** How long a client may take none of the bytes that wait for it, in milliseconds; 0: for ever. */
  readonly writeIdleMs: number
  /** Counts the bytes that wait for clients that do not take them; absent: they are not counted. */
  readonly memory?: MemoryBudget
  /** Called when such a client is cut because no memory is left. */
  readonly onStalledCut?: (cut: StalledCut) => void
  /** The most connections; absent: as many as the limit on open files allows. */
  readonly connections?: Pick<ConnectionRoomDeps, 'connectionsMax' | 'sharePercent'>
  /** Called when connections come near their limit. */
  readonly onCrowded?: (crowd: Crowd) => void
}

/** The address to listen on, and the way to. */
export interface ListenOptions {
  readonly hostname: string
  /** 0: any free one. */
  readonly port: number
  readonly tls?: TlsTexts | undefined
  /** Whether other sockets of this user may listen on the same port, and share its connections; `useTls` needs that. */
  readonly reusePort?: boolean
}

/** A server that listens. */
export interface HttpServer {
  readonly port: number
  /** Gives new connections another certificate; open ones go on. Where something is wrong with it, throws that and changes nothing. */
  readonly useTls: (tls: TlsTexts) => void
  /** Refuses new connections, and closes idle ones in a moment. Resolves when the last byte of every answer has left. */
  readonly close: () => Promise<void>
  /** Breaks off every answer, so that none looks complete. */
  readonly breakOff: () => void
  /** Closes every connection at once. */
  readonly closeAll: () => void
}

/**
 * Listens for HTTP/1.1 on a TCP socket, over TLS where that is given.
 *
 * Throws the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL) when it can't listen.
 *
 * @example
 * const server = listenHttp1({ hostname: '127.0.0.1', port: 0 }, deps)
 */
export function listenHttp1(options: ListenOptions, deps: Http1Deps): HttpServer {
  const inFlight = createInFlight()
  const connections = new Set<Connection>()
  const accept = acceptInto(connections, inFlight, deps)
  let listener = listenWith(accept, options)
  let isClosing = false
  const breakOff = (): void => {
    for (const connection of connections) connection.breakOff(new ApiError('draining'))
  }
  return {
    port: listener.port,
    useTls(tls) {
      if (isClosing) return
      const former = listener
      listener = listenWith(accept, { ...options, port: former.port, tls })
      // The next look at the sockets still accepts the connections that have come to the former listener.
      setImmediate(() => former.stop())
    },
    close() {
      isClosing = true
      listener.stop()
      const closed = inFlight.close()
      // An idle connection may have a request on its way: closed at once, it would look cut off, and a client need not send it anew.
      deps.deadlines.start(LINGER_MS, () => {
        for (const connection of connections) connection.closeIfIdle()
      })
      return closed
    },
    breakOff,
    closeAll() {
      breakOff()
      for (const connection of connections) connection.abandon()
    },
  }
}

type Accept = Bun.SocketHandler<Connection>

/** Makes the handlers of the sockets' events; open connections stand in `connections`, in the order in which they came. */
function acceptInto(connections: Set<Connection>, inFlight: InFlight, deps: Http1Deps): Accept {
  const room = new ConnectionRoom<Connection>({
    ...deps.connections,
    now: () => performance.now(),
    onCrowded: deps.onCrowded ?? (() => undefined),
  })
  const stalled = new StalledClients({
    memory: deps.memory ?? new MemoryBudget(Number.POSITIVE_INFINITY),
    now: () => performance.now(),
    onCut: deps.onStalledCut ?? (() => undefined),
  })
  const memoryFor = createHeadMemories()
  return {
    open(socket) {
      socket.setNoDelay(true)
      const client = new ClientSocket(socket, deps.deadlines, deps.writeIdleMs, stalled)
      socket.data = new Connection(client, memoryFor(), deps, inFlight)
      connections.add(socket.data)
      if (!room.admit(socket.data, connections)) socket.data.closeIfIdle()
    },
    // Without this handler, a connection would be opened behind its TLS handshake only: one that never speaks would not be counted.
    handshake(socket, isDone) {
      if (!isDone) socket.terminate()
    },
    data: (socket, bytes) => socket.data.onData(bytes),
    drain: (socket) => socket.data.onDrain(),
    end: (socket) => socket.data.onEnd(),
    close(socket) {
      // Undefined where the socket closed before it was opened.
      const connection: Connection | undefined = socket.data
      if (connection === undefined) return
      connections.delete(connection)
      room.leave(connection)
      connection.onClose()
    },
    error(_socket, cause) {
      // An error with a code comes from the network or the TLS peer, and a close follows; any other is a defect.
      if (!('code' in cause)) deps.onDefect(cause)
    },
  }
}

function listenWith(
  socket: Accept,
  { hostname, port, tls, reusePort = false }: ListenOptions,
): Bun.TCPSocketListener<Connection> {
  return Bun.listen<Connection>({
    hostname,
    port,
    allowHalfOpen: true,
    exclusive: !reusePort,
    ...(reusePort && { reusePort }),
    ...(tls !== undefined && {
      tls: { cert: tls.cert, key: tls.key.reveal(), ALPNProtocols: Buffer.from('\x08http/1.1', 'latin1') },
    }),
    socket,
  })
}
