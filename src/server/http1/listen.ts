import type { TlsTexts } from '../../config/config.ts'
import { MemoryBudget } from '../../exchange/memory-budget.ts'
import { ApiError } from '../../openai/api-error.ts'
import { createUnderWay } from '../under-way.ts'
import { ClientSocket } from './client-socket.ts'
import { Connection } from './connection.ts'
import { ConnectionRoom } from './connection-room.ts'
import type { Http1Deps } from './http1-deps.ts'
import { LINGER_MS } from './linger.ts'
import { StalledClients } from './stalled-clients.ts'

/** Where to listen, and how. */
export interface ListenOptions {
  readonly hostname: string
  /** 0: any free one. */
  readonly port: number
  readonly tls?: TlsTexts | undefined
  /** Whether other sockets of this user may listen on the same port, and share what comes; `useTls` needs that. */
  readonly reusePort?: boolean
}

/** A server that listens. */
export interface HttpServer {
  readonly port: number
  /** Has new connections get another certificate; those that there are go on. Throws what is wrong with it, and changes nothing. */
  readonly useTls: (tls: TlsTexts) => void
  /** Refuses new connections, and closes idle ones in a moment. Resolves when the last byte of every answer has left. */
  readonly close: () => Promise<void>
  /** Breaks off every answer, in a way that none looks complete. */
  readonly breakOff: () => void
  /** Closes every connection at once. */
  readonly closeAll: () => void
}

/**
 * Listens for HTTP/1.1 on a TCP socket, over TLS where that is given.
 *
 * Throws the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL) where it can't listen.
 *
 * @example
 * const server = listenHttp1({ hostname: '127.0.0.1', port: 0 }, deps)
 */
export function listenHttp1(options: ListenOptions, deps: Http1Deps): HttpServer {
  const underWay = createUnderWay()
  const connections = new Set<Connection>()
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
  const accept: Accept = {
    open(socket) {
      socket.setNoDelay(true)
      const client = new ClientSocket(socket, deps.deadlines, deps.writeIdleMs, stalled)
      socket.data = new Connection(client, deps, underWay)
      connections.add(socket.data)
      if (!room.admit(socket.data, connections)) socket.data.closeIfIdle()
    },
    // That there is one has a connection opened when it comes, and not behind its TLS handshake: it counts, though it may never say a word.
    handshake(socket, isDone) {
      if (!isDone) socket.terminate()
    },
    data: (socket, bytes) => socket.data.onData(bytes),
    drain: (socket) => socket.data.onDrain(),
    end: (socket) => socket.data.onEnd(),
    close(socket) {
      // One that is gone before it could be opened.
      const connection: Connection | undefined = socket.data
      if (connection === undefined) return
      connections.delete(connection)
      room.leave(connection)
      connection.onClose()
    },
    error(_socket, cause) {
      // One with a code is the network's or the TLS peer's doing, and is followed by the close; any other is a defect.
      if (!('code' in cause)) deps.onDefect(cause)
    },
  }
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
      // What has come to it by now is taken first: this runs right behind the next look at the sockets.
      setImmediate(() => former.stop())
    },
    close() {
      isClosing = true
      listener.stop()
      const closed = underWay.close()
      // A request may be on its way on each: one that is closed just then looks cut off, and may be sent anew by nobody.
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
