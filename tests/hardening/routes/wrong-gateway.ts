import { createServer, request as sendOn } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SERVER_KEY, TOKEN } from './probe.ts'
import { OPEN_PATHS } from './served-routes.ts'

/** A gateway that is wrong on purpose: it decides by the beginning of the path, and runs what a URL parser makes of it. */
export interface WrongGateway {
  readonly port: number
  readonly stop: () => void
}

/** Starts it in front of an upstream. */
export async function startWrongGateway(baseUrl: string): Promise<WrongGateway> {
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    const target = request.url ?? '/'
    const isOpen = target.startsWith('/health') || target.startsWith('/docs')
    if (!isOpen && request.headers.authorization !== `Bearer ${TOKEN}`) {
      response.writeHead(401, { 'content-length': 0 }).end()
      return
    }
    const { pathname } = new URL(target, 'http://localhost')
    if (OPEN_PATHS.has(pathname)) {
      response.writeHead(200, { 'content-length': 2 }).end('ok')
      return
    }
    const headers = { ...request.headers, authorization: `Bearer ${SERVER_KEY}` }
    const onward = sendOn(baseUrl + pathname.replace(/^\/v1\//, '/'), { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    })
    request.pipe(onward)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}
