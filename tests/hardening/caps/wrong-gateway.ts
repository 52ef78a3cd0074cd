import { createServer, request as sendOn } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A gateway that is wrong on purpose. */
export interface WrongGateway {
  readonly port: number
  readonly stop: () => void
}

/**
 * Starts one that goes by the body's `model` and `max_tokens` as `JSON.parse` gives them, and sends on the bytes and the path that came:
 * whatever another reader may see in them is past it.
 */
export async function startWrongGateway(baseUrl: string, max: number): Promise<WrongGateway> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      if (isRefused(body.toString(), max)) {
        response.writeHead(400, { 'content-length': 0 }).end()
        return
      }
      const onward = sendOn(baseUrl + (request.url ?? '/'), { method: 'POST', headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(response)
      })
      onward.on('error', () => response.destroy())
      onward.end(body)
    })
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

function isRefused(text: string, max: number): boolean {
  try {
    const { model, max_tokens: tokens = 1 } = JSON.parse(text) as { model?: unknown; max_tokens?: unknown }
    return model === 'dear' || !(Number(tokens) <= max)
  } catch {
    return false
  }
}
