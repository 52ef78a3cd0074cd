import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { ApiError } from '../openai/api-error.ts'
import type { ErrorKind } from '../openai/error-catalogue.ts'
import type { Log } from '../telemetry/log.ts'

/**
 * Writes a response to a bare socket and ends it: for what the HTTP server hands over without a response object.
 *
 * Never rejects.
 */
export async function answerSocket(response: Response, socket: Duplex): Promise<void> {
  const body = new Uint8Array(await response.arrayBuffer())
  const lines = [`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}`]
  for (const [name, value] of response.headers) if (name !== 'content-length') lines.push(`${name}: ${value}`)
  lines.push(`content-length: ${body.byteLength}`, 'connection: close', '', '')
  if (socket.destroyed) return
  socket.write(lines.join('\r\n'))
  socket.end(body)
}

/**
 * Answers bytes that are no well-formed HTTP/1.1, in the shape of every other error, and logs why.
 *
 * A connection that just breaks off gets no answer: nobody is left to read it.
 */
export function answerMalformed(cause: Error, socket: Duplex, log: Log): void {
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  if (code === 'ECONNRESET' || code === 'HPE_INVALID_EOF_STATE' || !socket.writable) {
    socket.destroy()
    return
  }
  const error = new ApiError(MALFORMED.get(code) ?? 'malformed_request')
  log.info({ status: error.entry.status, error: error.kind, cause: code }, 'malformed request')
  const response = Response.json(error.body, { status: error.entry.status })
  answerSocket(response, socket).catch(() => socket.destroy())
}

const MALFORMED: ReadonlyMap<string, ErrorKind> = new Map([
  ['HPE_HEADER_OVERFLOW', 'headers_too_large'],
  ['HPE_INVALID_METHOD', 'method_not_allowed'],
  ['HPE_INVALID_URL', 'invalid_target'],
  ['ERR_HTTP_REQUEST_TIMEOUT', 'upload_timeout'],
])
