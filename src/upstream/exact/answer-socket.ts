import type { Duplex } from 'node:stream'
import { REASONS } from '../../formats/http/reasons.ts'

/**
 * Writes a response to a bare socket and ends it: for what has stopped speaking HTTP.
 *
 * Never rejects.
 */
export async function answerSocket(response: Response, socket: Duplex): Promise<void> {
  const body = new Uint8Array(await response.arrayBuffer())
  const lines = [`HTTP/1.1 ${response.status} ${REASONS[response.status] ?? ''}`]
  for (const [name, value] of response.headers) if (name !== 'content-length') lines.push(`${name}: ${value}`)
  lines.push(`content-length: ${body.byteLength}`, 'connection: close', '', '')
  if (socket.destroyed) return
  socket.write(lines.join('\r\n'))
  socket.end(body)
}
