import { ApiError } from '../../openai/api-error.ts'
import { createUnderWay } from '../under-way.ts'
import { ClientSocket } from './client-socket.ts'
import { Connection } from './connection.ts'
import type { Http1Deps } from './http1-deps.ts'

/** Where to listen, and how. */
export interface ListenOptions {
  readonly hostname: string
  /** 0: any free one. */
  readonly port: number
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  /** Whether other processes of this user may listen on the same port, and share what comes. */
  readonly reusePort?: boolean
}

/** A server that listens. */
export interface HttpServer {
  readonly port: number
  /** Refuses new connections and closes idle ones. Resolves when the last byte of every answer has left. */
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
export function listenHttp1({ hostname, port, tls, reusePort = false }: ListenOptions, deps: Http1Deps): HttpServer {
  const underWay = createUnderWay()
  const connections = new Set<Connection>()
  const listener = Bun.listen<Connection>({
    hostname,
    port,
    allowHalfOpen: true,
    exclusive: !reusePort,
    ...(reusePort && { reusePort }),
    ...(tls !== undefined && { tls: { ...tls, ALPNProtocols: Buffer.from('\x08http/1.1', 'latin1') } }),
    socket: {
      open(socket) {
        socket.setNoDelay(true)
        socket.data = new Connection(new ClientSocket(socket, deps.deadlines, deps.writeIdleMs), deps, underWay)
        connections.add(socket.data)
      },
      data: (socket, bytes) => socket.data.onData(bytes),
      drain: (socket) => socket.data.onDrain(),
      end: (socket) => socket.data.onEnd(),
      close(socket) {
        connections.delete(socket.data)
        socket.data.onClose()
      },
      error(_socket, cause) {
        // One with a code is the network's or the TLS peer's doing, and is followed by the close; any other is a defect.
        if (!('code' in cause)) deps.onDefect(cause)
      },
    },
  })
  const breakOff = (): void => {
    for (const connection of connections) connection.breakOff(new ApiError('draining'))
  }
  return {
    port: listener.port,
    close() {
      listener.stop()
      const closed = underWay.close()
      for (const connection of connections) connection.closeIfIdle()
      return closed
    },
    breakOff,
    closeAll() {
      breakOff()
      for (const connection of connections) connection.abandon()
    },
  }
}
