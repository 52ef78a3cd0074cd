import { createServer as createPlain, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTls } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { makeSelfSigned, type SelfSigned } from '../../helpers/self-signed.ts'
import { REDIRECT_STATUS, REDIRECT_TO } from './redirects.ts'

/** Names the case in a request. */
export const CASE = 'x-hardening-case'

/** The server that is configured: the one place where keys may go. */
export interface Origin {
  readonly url: string
  /** The hosts that it was called by for a case, one for each request. */
  readonly hostsOf: (id: string) => readonly string[]
  readonly authority: string
  readonly close: () => void
}

/** Both of them, and the certificate of the second. */
export interface Origins {
  readonly plain: Origin
  readonly tls: Origin
  readonly certificate: SelfSigned
  readonly close: () => void
}

/** Starts an origin by HTTP and one by HTTPS, which answer with the redirect that a request asks for. */
export async function startOrigins(): Promise<Origins> {
  const certificate = makeSelfSigned()
  const plain = await startOrigin('http', (listener) => createPlain(listener))
  const { cert, key } = certificate
  const tls = await startOrigin('https', (listener) => createTls({ cert, key }, listener))
  return {
    plain,
    tls,
    certificate,
    close() {
      plain.close()
      tls.close()
      certificate.remove()
    },
  }
}

type Server = ReturnType<typeof createPlain> | ReturnType<typeof createTls>

async function startOrigin(scheme: string, create: (listener: RequestListener) => Server): Promise<Origin> {
  const hosts = new Map<string, string[]>()
  const note = ({ headers }: IncomingMessage): void => {
    const id = String(headers[CASE] ?? '')
    hosts.set(id, [...(hosts.get(id) ?? []), headers.host ?? ''])
  }
  const server = create((request, response) => {
    note(request)
    request.resume()
    request.on('error', () => undefined)
    request.on('end', () => {
      const [status, headers] = answerTo(request)
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': 2, ...headers }).end('{}')
    })
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    note(request)
    const [status, headers] = answerTo(request)
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.on('error', () => undefined)
    socket.end(
      `HTTP/1.1 ${status === 200 ? 403 : status} X\r\n${lines.join('')}content-length: 0\r\nconnection: close\r\n\r\n`,
    )
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  const authority = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `${scheme}://${authority}`,
    authority,
    hostsOf: (id) => hosts.get(id) ?? [],
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function answerTo({ headers }: IncomingMessage): readonly [number, Record<string, string>] {
  const to = headers[REDIRECT_TO]
  if (typeof to !== 'string') return [200, {}]
  // Servers say where else they are in more than one way.
  return [
    Number(headers[REDIRECT_STATUS]),
    { location: to, 'content-location': to, refresh: `0; url=${to}`, link: `<${to}>; rel=next` },
  ]
}
