import { bodyNoteOf } from '../../answers/body-note.ts'
import { Tap } from '../../answers/tap.ts'
import type { ClientSocket } from './client-socket.ts'
import { openFrame } from './frame.ts'
import { writeResponseHead } from './response-head.ts'
import { writeStream } from './stream-writer.ts'
import type { Transaction, Written } from './transaction.ts'

const NOTHING = new Uint8Array()
const UNWATCHED = { onEnd: (): void => undefined }

/**
 * Writes a standard `Response` to the client: its head at once, its chunks as they come, never ahead of the client.
 *
 * A body that fails gives `broken` or `reset`, and no proper end is written. Throws when the response can't be read.
 */
export function writeResponse(
  response: Response,
  transaction: Transaction,
  socket: ClientSocket,
): Written | Promise<Written> {
  const note = bodyNoteOf(response)
  const whole = note !== undefined && 'whole' in note ? note.whole : response.body === null ? NOTHING : undefined
  const { head, isLast } = transaction
  const written = writeResponseHead(response, { head, isLast, bodyBytes: whole?.byteLength })
  const { text, framing } = written
  transaction.isLast = written.isLast
  transaction.isAnswered = true
  if (whole !== undefined) {
    writeTogether(text, framing === 'none' ? NOTHING : whole, socket)
    return 'complete'
  }
  const tap = note !== undefined && 'tap' in note ? note.tap : new Tap(UNWATCHED)
  return writeStream(response, text, framing, { transaction, socket, tap })
}

/** Writes the answer to bytes that are no request, as the connection's last. Rejects when the answer's body can't be read. */
export async function writeRefusal(response: Response, socket: ClientSocket): Promise<void> {
  const body = await response.bytes()
  const head = { method: 'GET', isHttp10: false }
  writeTogether(writeResponseHead(response, { head, isLast: true, bodyBytes: body.byteLength }).text, body, socket)
}

function writeTogether(head: string, body: Uint8Array, socket: ClientSocket): void {
  const frame = openFrame(socket, head.length + body.byteLength)
  frame.text(head)
  frame.bytes(body)
  frame.send()
}
