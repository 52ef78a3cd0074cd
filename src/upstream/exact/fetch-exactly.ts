import { request as startRequest } from 'node:http'
import type { Socket } from 'node:net'
import { ApiError } from '../../openai/api-error.ts'
import type { UpstreamInit } from '../send.ts'
import { dial } from './dial.ts'
import { proxyCredentials } from './proxy-tunnel.ts'
import { toResponse } from './to-response.ts'
import { writeBody } from './write-body.ts'

/** The same limit as in the runtime's fetch. */
const HEAD_BYTES_MAX = 256 * 1024
/** The limit on interim responses (1xx) before the answer: an endless series would keep this process from all other work. */
const INTERIM_MAX = 1000
/** Methods whose requests usually have a body: one without says so by a length of 0 (RFC 9110 §8.6). */
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

/**
 * Sends a call on a connection of its own, with its target unchanged: exactly one request, no redirect followed, nothing
 * decompressed, no clock, nothing read ahead. Rejects with the abort's reason, the system's error, or `upstream_invalid_response`.
 *
 * @example
 * const response = await fetchExactly(url, init, undefined)
 */
export async function fetchExactly(url: URL, init: UpstreamInit, proxy: URL | undefined): Promise<Response> {
  if (proxy === undefined || url.protocol === 'https:') {
    return exchange(await dial(url, init.signal, proxy, init.tls?.ca), init.target, headerLines(url, init), init)
  }
  // A plain http request names its whole URL to the proxy; only TLS goes through a tunnel (RFC 9112 §3.2.2).
  const lines = headerLines(url, init)
  const credentials = proxyCredentials(proxy)
  if (credentials !== undefined) lines.push('Proxy-Authorization', credentials)
  return exchange(await dial(proxy, init.signal), url.origin + init.target, lines, init)
}

/** Sends the one request of a connection, which closes behind the answer; aborting the call destroys the socket. */
async function exchange(socket: Socket, target: string, headers: string[], init: UpstreamInit): Promise<Response> {
  try {
    return await ask(socket, target, headers, init)
  } catch (cause) {
    socket.destroy()
    throw cause
  }
}

function ask(socket: Socket, target: string, headers: string[], init: UpstreamInit): Promise<Response> {
  const { method, body, signal } = init
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const request = startRequest({
      method,
      path: target,
      headers,
      createConnection: () => socket,
      maxHeaderSize: HEAD_BYTES_MAX,
    })
    // 0 is no limit: a limit on their number would drop headers in silence; their bytes are limited above.
    request.maxHeadersCount = 0
    let interims = 0
    request.on('information', () => {
      interims += 1
      if (interims > INTERIM_MAX) reject(endless())
    })
    request.on('error', reject)
    request.on('close', () => reject(new Error('the connection was closed')))
    request.on('response', (message) => {
      try {
        resolve(toResponse(message, request))
      } catch (cause) {
        reject(cause)
      }
    })
    writeBody(request, body)
  })
}

function endless(): ApiError {
  return new ApiError('upstream_invalid_response', { cause: 'upstream answered with interim responses without end' })
}

/** The headers of the call and those of the connection, as names and values in turn. */
function headerLines(url: URL, { method, headers, body }: UpstreamInit): string[] {
  const lines = ['Host', url.host, 'Connection', 'close']
  for (const [name, value] of headers) lines.push(name, value)
  if (headers.has('content-length')) return lines
  if (body instanceof ReadableStream) lines.push('Transfer-Encoding', 'chunked')
  else if (body !== null || WITH_BODY.has(method)) lines.push('Content-Length', String(body?.byteLength ?? 0))
  return lines
}
