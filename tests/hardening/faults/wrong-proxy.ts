import { createServer, request as sendOn } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LogLine } from '../../helpers/log-lines.ts'

/** A gateway that is wrong on purpose: it takes a broken answer for a whole one, asks again where nobody may, and has no timer. */
export interface WrongProxy {
  readonly port: number
  readonly lines: LogLine[]
  readonly stop: () => void
}

/** Starts it in front of an upstream. */
export async function startWrongProxy(upstreamUrl: string): Promise<WrongProxy> {
  const lines: LogLine[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const note = (outcome: string): void =>
      void lines.push({
        msg: 'exchange',
        request_id: request.headers['x-request-id'],
        outcome,
        error: 'upstream_unreachable',
      })
    const ask = (triesLeft: number): void => {
      const options = { method: 'POST', headers: request.headers }
      const onward = sendOn(upstreamUrl + request.url, options, (answer) => {
        if (response.headersSent) return
        response.writeHead(answer.statusCode ?? 500, { 'content-type': answer.headers['content-type'] })
        answer.on('data', (chunk) => response.write(chunk))
        answer.on('error', () => undefined)
        answer.on('close', () => {
          note('complete')
          response.end()
        })
      })
      onward.on('error', () => {
        if (triesLeft > 0) ask(triesLeft - 1)
        else if (!response.headersSent) {
          note('failed')
          response.writeHead(502, { 'content-length': 0 }).end()
        }
      })
      onward.end(Buffer.concat(parts))
    }
    ask(1)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  return {
    port: (server.address() as AddressInfo).port,
    lines,
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}
