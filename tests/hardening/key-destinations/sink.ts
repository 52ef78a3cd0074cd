import { type AddressInfo, createServer, type Socket } from 'node:net'

/** Where nothing may ever go: it takes every connection, and keeps what comes. */
export interface Sink {
  /** `127.0.0.1:PORT`. */
  readonly authority: string
  readonly port: number
  /** What has come since it was asked the last time; undefined: nobody. */
  readonly take: () => Visit | undefined
  readonly close: () => void
}

/** Connections, and all that they sent. */
export interface Visit {
  readonly connections: number
  readonly text: string
}

/** Starts a sink on a free port of 127.0.0.1. It answers as a good server would, so that whoever comes says all that it has to. */
export async function startSink(): Promise<Sink> {
  const sockets = new Set<Socket>()
  let connections = 0
  let text = ''
  const server = createServer((socket) => {
    sockets.add(socket)
    connections += 1
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1')
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}')
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as AddressInfo
  return {
    authority: `127.0.0.1:${port}`,
    port,
    take() {
      const visit = connections === 0 ? undefined : { connections, text }
      connections = 0
      text = ''
      return visit
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
