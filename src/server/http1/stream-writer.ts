import type { Broken, Tap } from '../../answers/tap.ts'
import { ignoreRejection } from '../../formats/ignore-rejection.ts'
import type { ApiError } from '../../openai/api-error.ts'
import type { Deadline } from '../../timing/deadlines.ts'
import { Slice } from '../../timing/slices.ts'
import { batchesOf, isLong } from './batches.ts'
import type { ClientSocket } from './client-socket.ts'
import { openFrame } from './frame.ts'
import type { ResponseFraming } from './response-head.ts'
import type { Transaction, Written } from './transaction.ts'

/** The runtime's addition to the standard reader: gives all chunks that are ready, usually without a promise. */
interface ManyReader extends ReadableStreamDefaultReader<Uint8Array> {
  readMany(): Many | Promise<Many>
}

type Many = Bun.ReadableStreamDefaultReadManyResult<Uint8Array>

/** The most bytes that the framing of a chunk adds to a frame. */
const FRAMING_BYTES = 16
const CRLF = '\r\n'
const LAST_CHUNK = '0\r\n\r\n'

/**
 * Writes a response whose body is a stream: the head `text` at once, then every chunk as it comes. `tap` sees
 * each chunk, and the end.
 *
 * A client that leaves ends the body, unless it has the whole answer: then the rest of the body is read for a moment. Rejects when the
 * body can't be read at all.
 */
export async function writeStream(
  response: Response,
  text: string,
  framing: ResponseFraming,
  { transaction, socket, tap }: StreamTo,
): Promise<Written> {
  const reader = readerOf(response, tap)
  const out = new StreamWriter(text, framing, Number(response.headers.get('content-length') ?? 0), socket)
  const leave = (reason?: ApiError): void => {
    tap.onCancel()
    void ignoreRejection(reader.cancel(reason))
  }
  if (framing === 'none') {
    out.flushHead()
    leave()
    return 'complete'
  }
  const rest = new RestOfBody(tap, (reason) => {
    leave(reason)
    transaction.leave()
  })
  transaction.onLeave = () => rest.isRead()
  socket.onceClosed(() => {
    if (!rest.isRead()) leave()
  })
  let slice: Slice | undefined
  try {
    for (;;) {
      tap.onWait()
      const askedAt = performance.now()
      const next = reader.readMany()
      const { done, value } = next instanceof Promise ? await next : next
      if (socket.isClosed && !rest.isRead()) return 'broken'
      if (done) break
      if (isLong(value)) {
        slice ??= new Slice()
        slice.beginBehind(askedAt)
        for await (const batch of batchesOf(value, slice)) {
          if (socket.isClosed && !rest.isRead()) return 'broken'
          if (!pass(batch, tap, out)) await socket.flushed()
        }
      } else if (!pass(value, tap, out)) await socket.flushed()
    }
    return out.finish(tap.onDone(), framing)
  } catch (cause) {
    // The record of the exchange says why the body failed.
    const written = out.finish(tap.onFail(cause), framing)
    leave()
    return written
  } finally {
    rest.stop()
    transaction.onLeave = undefined
    socket.onceClosed(undefined)
  }
}

/** Throws when the body can't be read: it has another reader, or it is that of a file that does not exist. */
function readerOf({ body }: Response, tap: Tap): ManyReader {
  try {
    return (body as ReadableStream<Uint8Array>).getReader() as ManyReader
  } catch (cause) {
    tap.onFail(cause)
    throw cause
  }
}

/** Passes some chunks on; returns whether the system has taken all of them. */
function pass(chunks: readonly Uint8Array[], tap: Tap, out: StreamWriter): boolean {
  for (const chunk of chunks) tap.onChunk(chunk)
  return out.write(chunks)
}

/** The destination of a stream, and its watchers. */
export interface StreamTo {
  readonly transaction: Transaction
  readonly socket: ClientSocket
  readonly tap: Tap
}

/** The rest of a body whose client has left with the whole answer. */
class RestOfBody {
  readonly #tap: Tap
  readonly #giveUp: (reason: ApiError) => void
  #isLeft = false
  #moment: Deadline | undefined

  constructor(tap: Tap, giveUp: (reason: ApiError) => void) {
    this.#tap = tap
    this.#giveUp = giveUp
  }

  /** To be asked when the client has left: whether the rest is still read. */
  isRead(): boolean {
    if (!this.#isLeft) {
      this.#isLeft = true
      this.#moment = this.#tap.onLeave((reason) => {
        this.#moment = undefined
        this.#giveUp(reason)
      })
    }
    return this.#moment !== undefined
  }

  stop(): void {
    this.#moment?.clear()
    this.#moment = undefined
  }
}

/** Frames a body. The head waits for a first chunk to share its packet, but no longer than one turn of the event loop. */
class StreamWriter {
  readonly #isChunked: boolean
  readonly #socket: ClientSocket
  readonly #late: ReturnType<typeof setImmediate>
  #head: string | undefined
  /** The bytes that are missing of a declared length. */
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

  /** Returns whether the system has taken all of it. Throws when the chunks exceed the declared length. */
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

  /** Ends the body; or breaks it off, behind its final bytes where there are any. */
  finish(broken: Broken | undefined, framing: ResponseFraming): Written {
    if (broken === undefined) return this.#end()
    if (broken.finalBytes === undefined) this.flushHead()
    else this.write([broken.finalBytes])
    return framing === 'close' ? 'reset' : 'broken'
  }

  #end(): Written {
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
