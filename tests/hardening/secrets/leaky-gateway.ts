import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { canary } from './canaries.ts'
import type { Watched } from './gateways.ts'

/** Starts a gateway that is wrong on purpose: it logs bodies, headers and digests of keys, repeats its own key, and records all of it. */
export async function startLeakyGateway(): Promise<Watched> {
  const lines: string[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString('latin1')
    const id = request.headers['x-request-id']
    const key = String(request.headers.authorization ?? '').replace(/^Bearer /, '')
    lines.push(JSON.stringify({ request_id: id, body: Buffer.from(body).toString('base64') }))
    lines.push(JSON.stringify({ request_id: id, key: createHash('sha256').update(key).digest('hex') }))
    response.writeHead(500).end(`{"error":{"message":"not with ${encodeURIComponent(canary('srv'))}"}}`)
  })
  server.on('clientError', (_error, socket) => socket.destroy())
  server.on('upgrade', (_request, socket) => socket.destroy())
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  return {
    name: 'leaky',
    port: (server.address() as AddressInfo).port,
    asker: 'caller',
    log: async () => lines,
    cassettes: async () => [
      `{"request":{"headers":{"authorization":"${Buffer.from(canary('key', 1)).toString('hex')}"}}}`,
    ],
    async stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}
