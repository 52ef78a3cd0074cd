import type { Socket } from 'node:net'
import { readHead } from './read-head.ts'

/** The end of a tunnel, and the proxy that opens it. */
export interface Tunnel {
  readonly host: string
  readonly port: number
  /** `user:password` in its URL is sent as Basic credentials. */
  readonly proxy: URL
}

/**
 * Asks the HTTP proxy at the other end of a socket to open a tunnel (CONNECT, RFC 9110 §9.3.6).
 *
 * Rejects and destroys the socket when the proxy refuses, or sends bytes of its own behind its answer.
 */
export async function openTunnel(socket: Socket, { host, port, proxy }: Tunnel): Promise<void> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`]
  const credentials = proxyCredentials(proxy)
  if (credentials !== undefined) lines.push(`Proxy-Authorization: ${credentials}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  try {
    const { head, rest } = await readHead(socket)
    if (head.status < 200 || head.status >= 300) throw new Error(`the proxy answered CONNECT with ${head.status}`)
    if (rest.byteLength > 0) throw new Error('the proxy sent bytes of its own')
  } catch (cause) {
    socket.destroy()
    throw cause
  }
}

/**
 * Gives the value of `Proxy-Authorization` for a proxy with `user:password` in its URL (RFC 7617); undefined for one without.
 *
 * @example
 * const credentials = proxyCredentials(new URL('http://user:password@proxy.example:3128'))
 */
export function proxyCredentials({ username, password }: URL): string | undefined {
  if (username === '') return undefined
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return `Basic ${Buffer.from(credentials).toString('base64')}`
}
