import { bodyNoteOf } from '../../stream/body-note.ts'
import { Tap } from '../../stream/tap.ts'
import type { ClientSocket } from './client-socket.ts'
import { type ResponseFraming, writeResponseHead } from './response-head.ts'
import type { Turn } from './turn.ts'

/** A body is copied behind its head up to this size: one packet and one system call; more costs more than it saves. */
const COPIED_BYTES_MAX = 32 * 1024
/** Where a head and its body are put together: the system has copied them when a write returns. */
const SCRATCH = Buffer.allocUnsafe(64 * 1024)
const CRLF = Buffer.from('\r\n')
const LAST_CHUNK = Buffer.from('0\r\n\r\n')

/** How the writing of a response ended. */
export type Written =
  /** All of it is written: the connection is in step. */
  | 'complete'
  /** It broke off: the end of the connection has to tell. */
  | 'broken'
  /** It broke off, and where the end of the connection is the proper end of the body, only a reset tells (HTTP/1.0). */
  | 'reset'

/**
 * Writes a standard `Response` to the client: its head at once, its chunks as they come, never ahead of the client.
 *
 * A body that fails gives `broken`, and no proper end is written. Never rejects.
 */
export function writeResponse(response: Response, turn: Turn, socket: ClientSocket): Written | Promise<Written> {
  const note = bodyNoteOf(response)
  const whole = note !== undefined && 'whole' in note ? note.whole : response.body === null ? NOTHING : undefined
  const { head, isLast } = turn
  const written = writeResponseHead(response, { head, isLast, bodyBytes: whole?.byteLength })
  const { text, framing } = written
  turn.isLast = written.isLast
  turn.isAnswered = true
  if (whole === undefined) {
    const tap = note !== undefined && 'tap' in note ? note.tap : new Tap(UNWATCHED)
    return streamBody(response, text, framing, socket, tap)
  }
  writeTogether(text, framing === 'none' ? NOTHING : whole, socket)
  return 'complete'
}

/** Writes the answer to what is no request, as the connection's last. */
export async function writeRefusal(response: Response, socket: ClientSocket): Promise<void> {
  const body = await response.bytes()
  const head = { method: 'GET', isHttp10: false }
  writeTogether(writeResponseHead(response, { head, isLast: true, bodyBytes: body.byteLength }).text, body, socket)
}

const NOTHING = new Uint8Array()
const UNWATCHED = { onEnd: (): void => undefined }

function writeTogether(head: string, body: Uint8Array, socket: ClientSocket): void {
  const bytes = head.length + body.byteLength
  if (bytes > SCRATCH.byteLength) {
    socket.write(Buffer.from(head, 'latin1'))
    socket.write(body)
    return
  }
  SCRATCH.write(head, 0, 'latin1')
  SCRATCH.set(body, head.length)
  socket.writeScratch(SCRATCH, bytes)
}

/** Writes a stream as it comes; `text` is the head before it. */
async function streamBody(
  response: Response,
  text: string,
  framing: ResponseFraming,
  socket: ClientSocket,
  tap: Tap,
): Promise<Written> {
  const body = response.body as ReadableStream<Uint8Array>
  let unsent: Buffer | undefined = Buffer.from(text, 'latin1')
  const takeHead = (): Buffer | undefined => {
    clearImmediate(late)
    const head = unsent
    unsent = undefined
    return head
  }
  // A chunk that is there already shares a packet with the head; the head of one that is to come goes at once.
  const late = setImmediate(() => flush(takeHead(), socket))
  const reader = body.getReader()
  const leave = (): void => {
    tap.onCancel()
    reader.cancel().catch(() => undefined)
  }
  if (framing === 'none') {
    flush(takeHead(), socket)
    leave()
    return 'complete'
  }
  socket.onceClosed(leave)
  let left = framing === 'length' ? Number(response.headers.get('content-length')) : Number.POSITIVE_INFINITY
  try {
    for (;;) {
      tap.onWait()
      const { done, value } = await reader.read()
      const head = takeHead()
      if (socket.isClosed) return 'broken'
      if (done) {
        tap.onDone()
        return endBody(head, framing, left, socket)
      }
      tap.onChunk(value)
      left -= value.byteLength
      if (left < 0) throw new Error('a body longer than its length')
      const isTaken = framing === 'chunked' ? writeChunk(value, head, socket) : writePart(value, head, socket)
      if (!isTaken) await socket.flushed()
    }
  } catch (cause) {
    // Why it failed is in the exchange's record.
    flush(takeHead(), socket)
    const farewell = tap.onFail(cause)
    if (farewell !== undefined && framing === 'chunked') writeChunk(farewell, undefined, socket)
    else if (farewell !== undefined) socket.write(farewell)
    leave()
    return framing === 'close' ? 'reset' : 'broken'
  }
}

function endBody(head: Buffer | undefined, framing: ResponseFraming, left: number, socket: ClientSocket): Written {
  if (framing === 'chunked') socket.write(join(head, LAST_CHUNK))
  else flush(head, socket)
  return framing === 'length' && left > 0 ? 'broken' : 'complete'
}

function flush(head: Buffer | undefined, socket: ClientSocket): void {
  if (head !== undefined) socket.write(head)
}

function writePart(value: Uint8Array, before: Buffer | undefined, socket: ClientSocket): boolean {
  if (before === undefined) return value.byteLength === 0 || socket.write(value)
  if (value.byteLength <= COPIED_BYTES_MAX) return socket.write(join(before, value))
  socket.write(before)
  return socket.write(value)
}

/** One chunk (RFC 9112 §7.1); an empty one would be the last. */
function writeChunk(value: Uint8Array, before: Buffer | undefined, socket: ClientSocket): boolean {
  if (value.byteLength === 0) return before === undefined || socket.write(before)
  const size = `${value.byteLength.toString(16)}\r\n`
  const headBytes = before?.byteLength ?? 0
  if (value.byteLength > COPIED_BYTES_MAX) {
    socket.write(join(before, Buffer.from(size, 'latin1')))
    socket.write(value)
    return socket.write(CRLF)
  }
  const frame = Buffer.allocUnsafe(headBytes + size.length + value.byteLength + 2)
  if (before !== undefined) frame.set(before)
  frame.write(size, headBytes, 'latin1')
  frame.set(value, headBytes + size.length)
  frame[frame.byteLength - 2] = 0x0d
  frame[frame.byteLength - 1] = 0x0a
  return socket.write(frame)
}

function join(before: Buffer | undefined, bytes: Uint8Array): Uint8Array {
  return before === undefined ? bytes : Buffer.concat([before, bytes])
}
