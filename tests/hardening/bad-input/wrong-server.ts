import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server that is wrong on purpose: it trusts what it is sent, fails on the rest, and refuses in a form of its own. */
export interface WrongServer {
  readonly port: number
  readonly stop: () => void
}

/** Starts it. */
export async function startWrongServer(): Promise<WrongServer> {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    try {
      if (request.method === 'POST') {
        const { messages } = JSON.parse(Buffer.concat(parts).toString('utf8')) as { messages: { content: string }[] }
        messages.map(({ content }) => content.length)
      }
      response.writeHead(200, { 'content-length': 2 }).end('{}')
    } catch (thrown) {
      if (thrown instanceof SyntaxError) response.writeHead(400, { 'content-length': 4 }).end('oops')
      else response.writeHead(500, { 'content-length': 0 }).end()
    }
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
