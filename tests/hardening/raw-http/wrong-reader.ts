import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'

/** A proxy that is wrong on purpose: it takes LF for a line's end, the first length for the right one, and waits where it should refuse. */
export interface WrongReader {
  readonly port: number
  readonly stop: () => void
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'

/** Starts it in front of an upstream. */
export async function startWrongReader(upstreamUrl: string): Promise<WrongReader> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    let text = ''
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      for (let one = readOne(text); one !== undefined; one = readOne(text)) {
        const { method, target, body, length } = one
        if (Number.isNaN(length)) {
          socket.removeAllListeners('data').resume()
          return
        }
        if (length < 0 || method === '') {
          socket.end('HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n')
          return
        }
        text = text.slice(one.end)
        fetch(upstreamUrl + target, { method, ...(body !== '' && { body }) }).then(
          () => socket.write(OK),
          () => socket.destroy(),
        )
      }
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function readOne(text: string) {
  const head = /^([\s\S]*?)\r?\n\r?\n/.exec(text)
  if (head === null) return undefined
  const [method = '', target = ''] = (head[1] ?? '').trimStart().split(/\s+/)
  const length = Number.parseInt(/content-length\s*:\s*(.*)/i.exec(head[1] ?? '')?.[1] ?? '0', 10)
  const end = head[0].length + length
  const path = target.startsWith('/') ? target : '/'
  return { method, target: path, body: text.slice(head[0].length, end), length, end }
}
