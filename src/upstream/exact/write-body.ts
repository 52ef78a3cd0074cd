import type { ClientRequest } from 'node:http'
import { ignoreRejection } from '../../formats/ignore-rejection.ts'
import type { UpstreamBody } from '../send.ts'

/**
 * Writes the body of a request and ends it. A stream is never read ahead of the server, and no further when the connection is
 * closed. A stream that fails breaks the connection.
 *
 * @example
 * writeBody(request, init.body)
 */
export function writeBody(request: ClientRequest, body: UpstreamBody): void {
  if (body instanceof ReadableStream) pump(body, request).catch(() => request.destroy())
  else if (body === null) request.end()
  else request.end(body)
}

async function pump(body: ReadableStream<Uint8Array>, request: ClientRequest): Promise<void> {
  const reader = body.getReader()
  // The head goes out at once: the server may refuse the request before the client has sent its body.
  request.flushHeaders()
  request.once('close', () => void ignoreRejection(reader.cancel()))
  for (;;) {
    const { done, value } = await reader.read()
    // A cancelled reader is done as well, which is not the end of the body.
    if (request.destroyed) return
    if (done) break
    if (!request.write(value)) await drained(request)
  }
  request.end()
}

/** Resolves when the server has taken all that was written, or the connection is closed. */
function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      request.off('drain', settle).off('close', settle)
      resolve()
    }
    request.on('drain', settle).on('close', settle)
    if (request.destroyed) settle()
  })
}
