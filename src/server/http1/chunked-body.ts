import { TOKEN } from '../../formats/http/hop-by-hop.ts'
import { ApiError } from '../../openai/api-error.ts'

/** The limit on a chunk-size line: no honest client sends a longer one. */
const SIZE_CHARS_MAX = 4096
const TRAILER_CHARS_MAX = 16 * 1024
const LF = 0x0a
const CR = 0x0d
/** Chunk sizes of up to this many digits are read without a pattern: a body may have a million chunks. */
const SHORT_SIZE_DIGITS = 7
const NO_DIGIT = 16
/** A size of one digit, CR and LF. */
const SHORT_HEAD_BYTES = 3
/** Up to this many bytes are moved one by one: a call would take longer. */
const NEAR_BYTES = 32
const HEX_VALUE = new Uint8Array(256).fill(NO_DIGIT)
for (const digits of ['0123456789abcdef', '0123456789ABCDEF'])
  for (let value = 0; value < digits.length; value += 1) HEX_VALUE[digits.charCodeAt(value)] = value
const PLAIN = '[\\t -~\\x80-\\xff]*'
const QUOTED = '"(?:[\\t !#-\\[\\]-~\\x80-\\xff]|\\\\[\\t -~\\x80-\\xff])*"'
/** Extensions are ignored, but only well-formed ones (RFC 9112 §7.1.1). */
const CHUNK_SIZE = new RegExp(`^0*([0-9a-f]{0,12})(?:;${TOKEN}(?:=(?:${TOKEN}|${QUOTED}))?)*$`, 'i')
const TRAILER = new RegExp(`^${TOKEN}:${PLAIN}$`)
/** The beginnings of well-formed lines: a line that can't become one is refused without waiting for its end. */
const SO_FAR = {
  size: new RegExp(`^(?:(?=[0-9a-f])0*[0-9a-f]{0,12}(?:;${PLAIN})?\\r?)?$`, 'i'),
  'data end': /^\r?$/,
  trailers: new RegExp(`^(?:\\r|${TOKEN}(?::${PLAIN}\\r?)?)?$`),
}
type LineState = keyof typeof SO_FAR

/**
 * Decodes one request's chunked body as it comes (RFC 9112 §7.1), as strictly as its head is read. Trailers are checked and dropped.
 *
 * @example
 * const body = new ChunkedBody()
 * const taken = body.take(bytes, (payload) => parts.push(payload))
 */
export class ChunkedBody {
  #state: LineState | 'data' | 'done' = 'size'
  /** The beginning of a line whose end has not come. */
  #line = ''
  /** The bytes that are left of the chunk. */
  #left = 0
  #trailerChars = 0

  /** Whether the last chunk and the trailers behind it have come. */
  get isDone(): boolean {
    return this.#state === 'done'
  }

  /**
   * Decodes bytes and hands their payload to `emit`, joined within the given bytes themselves: chunks of one byte must not become an
   * object each. Returns how many bytes belonged to the body, all of them until it is done. Throws `malformed_request`.
   */
  take(bytes: Buffer, emit: (payload: Buffer) => void): number {
    let at = 0
    let start = -1
    let end = -1
    while (at < bytes.byteLength && this.#state !== 'done') {
      if (this.#state === 'size' && this.#line === '') {
        const to = start === -1 ? at + SHORT_HEAD_BYTES : end
        const moved = moveShortChunks(bytes, at, to)
        if (moved.at > at) {
          if (start === -1) start = to
          end = moved.end
          at = moved.at
          continue
        }
      }
      const next = this.#line === '' ? this.#readShortLine(bytes, at) : undefined
      if (next !== undefined) {
        at = next
        continue
      }
      if (this.#state !== 'data') {
        at = this.#readLine(bytes, at, this.#state)
        continue
      }
      const size = Math.min(this.#left, bytes.byteLength - at)
      if (start === -1) {
        start = at
        end = at
      } else if (size > NEAR_BYTES) bytes.copyWithin(end, at, at + size)
      else for (let offset = 0; offset < size; offset += 1) bytes[end + offset] = bytes[at + offset] ?? 0
      end += size
      at += size
      this.#left -= size
      if (this.#left === 0) this.#state = 'data end'
    }
    if (start !== -1) emit(bytes.subarray(start, end))
    return at
  }

  /** Reads a line, or more of one; returns where the next begins. */
  #readLine(bytes: Buffer, from: number, kind: LineState): number {
    const end = bytes.indexOf(LF, from)
    this.#line += bytes.toString('latin1', from, end === -1 ? bytes.byteLength : end)
    if (kind === 'trailers') this.#trailerChars += (end === -1 ? bytes.byteLength : end) - from
    if (this.#line.length > SIZE_CHARS_MAX && kind !== 'trailers') throw malformed('an endless chunk size')
    if (this.#trailerChars > TRAILER_CHARS_MAX) throw malformed('endless trailers')
    if (end === -1) {
      if (!SO_FAR[kind].test(this.#line)) throw malformed('a line that has not ended')
      return bytes.byteLength
    }
    if (!this.#line.endsWith('\r')) throw malformed('a bare line feed')
    const text = this.#line.slice(0, -1)
    this.#line = ''
    this.#takeLine(text, kind)
    return end + 1
  }

  #takeLine(text: string, kind: LineState): void {
    if (kind === 'size') {
      const size = CHUNK_SIZE.exec(text)?.[1]
      if (size === undefined || text === '' || text.startsWith(';')) throw malformed('a chunk size')
      this.#left = size === '' ? 0 : Number.parseInt(size, 16)
      this.#state = this.#left === 0 ? 'trailers' : 'data'
    } else if (kind === 'data end') {
      if (text !== '') throw malformed('a chunk longer than its size')
      this.#state = 'size'
    } else if (text === '') {
      this.#state = 'done'
    } else if (!TRAILER.test(text)) {
      throw malformed('a trailer')
    }
  }

  /** Reads one of the two frequent kinds of lines when it is complete; returns where the next begins, undefined for any other line. */
  #readShortLine(bytes: Buffer, from: number): number | undefined {
    if (this.#state === 'data end' && bytes[from] === CR && bytes[from + 1] === LF) {
      this.#state = 'size'
      return from + 2
    }
    if (this.#state !== 'size') return undefined
    let size = 0
    let at = from
    for (; at < from + SHORT_SIZE_DIGITS; at += 1) {
      const digit = HEX_VALUE[bytes[at] ?? 0] ?? NO_DIGIT
      if (digit === NO_DIGIT) break
      size = size * 16 + digit
    }
    // The last chunk, and every other spelling, is left to `#readLine`.
    if (size === 0 || bytes[at] !== CR || bytes[at + 1] !== LF) return undefined
    this.#left = size
    this.#state = 'data'
    return at + 2
  }
}

/**
 * Moves the payloads of complete chunks of less than 16 bytes together, from `to` on. Returns where the next chunk begins, and where
 * the payloads end. One read may hold a hundred thousand such chunks.
 */
function moveShortChunks(bytes: Buffer, from: number, to: number): { readonly at: number; readonly end: number } {
  let at = from
  let end = to
  for (;;) {
    const size = HEX_VALUE[bytes[at] ?? 0] ?? NO_DIGIT
    const start = at + SHORT_HEAD_BYTES
    const behind = start + size
    const isShort = size > 0 && size < NO_DIGIT && bytes[at + 1] === CR && bytes[at + 2] === LF
    if (!isShort || bytes[behind] !== CR || bytes[behind + 1] !== LF) return { at, end }
    for (let offset = 0; offset < size; offset += 1) bytes[end + offset] = bytes[start + offset] ?? 0
    end += size
    at = behind + 2
  }
}

function malformed(what: string): ApiError {
  return new ApiError('malformed_request', { cause: `malformed: ${what}` })
}
