import type { Tap } from '../../stream/tap.ts'
import type { ClientSocket } from './client-socket.ts'
import { openFrame } from './frame.ts'
import type { ResponseFraming } from './response-head.ts'
import type { Written } from './written.ts'

/** The runtime's own addition to the standard reader: all chunks that are there at once, mostly without a promise. */
interface ManyReader extends ReadableStreamDefaultReader<Uint8Array> {
  readMany(): Many | Promise<Many>
}

type Many = Bun.ReadableStreamDefaultReadManyResult<Uint8Array>

/** The most that the framing of a chunk adds to a frame. */
const FRAMING_BYTES = 16
const CRLF = '\r\n'
const LAST_CHUNK = '0\r\n\r\n'

/**
 * Writes a response whose body is a stream: the head `text` at once, then every chunk as it comes. `tap` is told of
 * each, and of the end.
 */
export async function writeStream(
  response: Response,
  text: string,
  framing: ResponseFraming,
  socket: ClientSocket,
  tap: Tap,
): Promise<Written> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader() as ManyReader
  const out = new StreamWriter(text, framing, Number(response.headers.get('content-length') ?? 0), socket)
  const leave = (): void => {
    tap.onCancel()
    reader.cancel().catch(() => undefined)
  }
  if (framing === 'none') {
    out.flushHead()
    leave()
    return 'complete'
  }
  socket.onceClosed(leave)
  try {
    for (;;) {
      tap.onWait()
      const next = reader.readMany()
      const { done, value } = next instanceof Promise ? await next : next
      if (socket.isClosed) return 'broken'
      if (done) break
      for (const chunk of value) tap.onChunk(chunk)
      if (!out.write(value)) await socket.flushed()
    }
    tap.onDone()
    return out.end()
  } catch (cause) {
    // Why it failed is in the exchange's record.
    const farewell = tap.onFail(cause)
    if (farewell === undefined) out.flushHead()
    else out.write([farewell])
    leave()
    return framing === 'close' ? 'reset' : 'broken'
  } finally {
    socket.onceClosed(undefined)
  }
}

/** Frames a body, and keeps the head back until a first chunk can share its packet, but no longer than a moment. */
class StreamWriter {
  readonly #isChunked: boolean
  readonly #socket: ClientSocket
  readonly #late: ReturnType<typeof setImmediate>
  #head: string | undefined
  /** What a told length still wants. */
  #left: number

  constructor(head: string, framing: ResponseFraming, length: number, socket: ClientSocket) {
    this.#head = head
    this.#isChunked = framing === 'chunked'
    this.#left = framing === 'length' ? length : Number.POSITIVE_INFINITY
    this.#socket = socket
    this.#late = setImmediate(() => this.flushHead())
  }

  flushHead(): void {
    const head = this.#takeHead()
    if (head !== '') this.#socket.write(Buffer.from(head, 'latin1'))
  }

  /** Returns whether the system has taken all of it. Throws where the chunks exceed the length that was told. */
  write(chunks: readonly Uint8Array[]): boolean {
    let bytes = 0
    for (const chunk of chunks) bytes += chunk.byteLength
    if (bytes > this.#left) throw new Error('a body longer than its length')
    this.#left -= bytes
    const head = this.#head === undefined ? '' : this.#takeHead()
    const frame = openFrame(this.#socket, head.length + bytes + FRAMING_BYTES)
    if (head !== '') frame.text(head)
    // An empty chunk would be the last (RFC 9112 §7.1).
    const isFramed = this.#isChunked && bytes > 0
    if (isFramed) frame.text(bytes.toString(16) + CRLF)
    for (const chunk of chunks) frame.bytes(chunk)
    if (isFramed) frame.text(CRLF)
    return frame.send()
  }

  end(): Written {
    const rest = this.#takeHead() + (this.#isChunked ? LAST_CHUNK : '')
    if (rest !== '') this.#socket.write(Buffer.from(rest, 'latin1'))
    return Number.isFinite(this.#left) && this.#left > 0 ? 'broken' : 'complete'
  }

  #takeHead(): string {
    clearImmediate(this.#late)
    const head = this.#head ?? ''
    this.#head = undefined
    return head
  }
}
