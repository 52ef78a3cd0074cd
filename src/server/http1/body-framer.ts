import type { Broken } from '../../answers/tap.ts'
import type { ClientSocket } from './client-socket.ts'
import { openFrame } from './frame.ts'
import type { ResponseFraming } from './response-head.ts'
import type { Written } from './transaction.ts'

/** The most bytes that the framing of a chunk adds to a frame. */
const FRAMING_BYTES = 16
const CRLF = '\r\n'
const LAST_CHUNK = '0\r\n\r\n'

/**
 * Frames a body. The head waits for a first chunk to share its packet, but no longer than one turn of the event loop.
 *
 * @example
 * const out = new BodyFramer(head, 'chunked', 0, socket)
 */
export class BodyFramer {
  readonly #framing: ResponseFraming
  readonly #socket: ClientSocket
  readonly #late: ReturnType<typeof setImmediate>
  #head: string | undefined
  /** The bytes that are missing of a declared length. */
  #left: number

  constructor(head: string, framing: ResponseFraming, length: number, socket: ClientSocket) {
    this.#head = head
    this.#framing = framing
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
    const isFramed = this.#framing === 'chunked' && bytes > 0
    if (isFramed) frame.text(bytes.toString(16) + CRLF)
    for (const chunk of chunks) frame.bytes(chunk)
    if (isFramed) frame.text(CRLF)
    return frame.send()
  }

  /** Ends the body; or breaks it off, behind its final bytes where there are any. */
  finish(broken: Broken | undefined): Written {
    if (broken === undefined) return this.#end()
    if (broken.finalBytes === undefined) this.flushHead()
    else this.write([broken.finalBytes])
    return this.#framing === 'close' ? 'reset' : 'broken'
  }

  #end(): Written {
    const rest = this.#takeHead() + (this.#framing === 'chunked' ? LAST_CHUNK : '')
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
