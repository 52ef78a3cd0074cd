import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Origin } from './origins.ts'
import { SECRETS, type Setup } from './setups.ts'

/**
 * Starts a gateway that is wrong on purpose: it resolves the target against its base, believes a header and a member of the body that name
 * another one, and follows redirects with its key.
 */
export async function startWrongGateway(origin: Origin): Promise<Setup & { readonly stop: () => void }> {
  const [key = ''] = SECRETS
  const server = createServer((request, response) => {
    forward(request, origin, key).then(
      (status) => response.writeHead(status, { 'content-length': 0 }).end(),
      () => response.writeHead(502, { 'content-length': 0 }).end(),
    )
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  return {
    name: 'wrong',
    port: (server.address() as AddressInfo).port,
    origin,
    credential: `Authorization: Bearer ${key}`,
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function forward(request: IncomingMessage, origin: Origin, key: string): Promise<number> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks).toString('utf8')
  const named = /"base_url":"([^"]+)"/.exec(body)?.[1] ?? request.headers['x-target-url']
  const base = typeof named === 'string' && named.startsWith('http') ? named : origin.url
  const { method = 'GET', headers } = request
  const answer = await fetch(new URL(request.url ?? '/', base), {
    method,
    headers: { ...pick(headers), 'x-api-key': key },
    ...(method !== 'GET' && method !== 'HEAD' && { body }),
  })
  await answer.arrayBuffer()
  return answer.status
}

function pick(headers: IncomingMessage['headers']): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => name.startsWith('x-'))
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
}
