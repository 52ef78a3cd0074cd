import { TOKEN } from '../../formats/http/hop-by-hop.ts'
import { ApiError } from '../../openai/api-error.ts'

/** Takes a chunked body apart as it comes. */
export interface ChunkedBody {
  /**
   * Gives the payload to `emit`, with its pieces moved together in the bytes themselves: chunks of a byte must not become an object each.
   * Returns how many bytes belonged to the body, all of them until it is done.
   */
  readonly take: (bytes: Buffer, emit: (payload: Buffer) => void) => number
  /** Whether the last chunk and the trailers behind it have come. */
  readonly isDone: () => boolean
}

/** A chunk-size line of more characters is no honest one. */
const SIZE_CHARS_MAX = 4096
const TRAILER_CHARS_MAX = 16 * 1024
const LF = 0x0a
const CR = 0x0d
/** Chunk sizes of so few digits are read without a pattern: a body may be of a million chunks. */
const SHORT_SIZE_DIGITS = 7
const NO_DIGIT = 16
/** A size of one digit, CR and LF. */
const SHORT_HEAD_BYTES = 3
/** So few bytes are moved one by one: a call would take longer. */
const NEAR_BYTES = 32
const HEX_VALUE = new Uint8Array(256).fill(NO_DIGIT)
for (const digits of ['0123456789abcdef', '0123456789ABCDEF'])
  for (let value = 0; value < digits.length; value += 1) HEX_VALUE[digits.charCodeAt(value)] = value
const PLAIN = '[\\t -~\\x80-\\xff]*'
const QUOTED = '"(?:[\\t !#-\\[\\]-~\\x80-\\xff]|\\\\[\\t -~\\x80-\\xff])*"'
/** Extensions are read over, but only well-formed ones (RFC 9112 §7.1.1). */
const CHUNK_SIZE = new RegExp(`^0*([0-9a-f]{0,12})(?:;${TOKEN}(?:=(?:${TOKEN}|${QUOTED}))?)*$`, 'i')
const TRAILER = new RegExp(`^${TOKEN}:${PLAIN}$`)
/** What a line may begin with, up to any of its characters: one that can't come to a right end is not waited for. */
const SO_FAR = {
  size: new RegExp(`^(?:(?=[0-9a-f])0*[0-9a-f]{0,12}(?:;${PLAIN})?\\r?)?$`, 'i'),
  'data end': /^\r?$/,
  trailers: new RegExp(`^(?:\\r|${TOKEN}(?::${PLAIN}\\r?)?)?$`),
}
type LineState = keyof typeof SO_FAR

/**
 * Makes the reader of one request's chunked body (RFC 9112 §7.1), as strict as the reader of its head. Trailers are
 * checked and dropped.
 *
 * `take` throws `malformed_request`.
 *
 * @example
 * const body = createChunkedBody()
 * const taken = body.take(bytes, (payload) => parts.push(payload))
 */
export function createChunkedBody(): ChunkedBody {
  let state: LineState | 'data' | 'done' = 'size'
  let line = ''
  let left = 0
  let trailerChars = 0

  const takeLine = (text: string): void => {
    if (state === 'size') {
      const size = CHUNK_SIZE.exec(text)?.[1]
      if (size === undefined || text === '' || text.startsWith(';')) throw malformed('a chunk size')
      left = size === '' ? 0 : Number.parseInt(size, 16)
      state = left === 0 ? 'trailers' : 'data'
    } else if (state === 'data end') {
      if (text !== '') throw malformed('a chunk longer than its size')
      state = 'size'
    } else if (text === '') {
      state = 'done'
    } else if (!TRAILER.test(text)) {
      throw malformed('a trailer')
    }
  }

  /** Returns where the next line begins, if this one has come to its end. */
  const readLine = (bytes: Buffer, from: number, kind: LineState): number => {
    const end = bytes.indexOf(LF, from)
    line += bytes.toString('latin1', from, end === -1 ? bytes.byteLength : end)
    if (state === 'trailers') trailerChars += (end === -1 ? bytes.byteLength : end) - from
    if (line.length > SIZE_CHARS_MAX && state !== 'trailers') throw malformed('an endless chunk size')
    if (trailerChars > TRAILER_CHARS_MAX) throw malformed('endless trailers')
    if (end === -1) {
      if (!SO_FAR[kind].test(line)) throw malformed('a line that has not ended')
      return bytes.byteLength
    }
    if (!line.endsWith('\r')) throw malformed('a bare line feed')
    const text = line.slice(0, -1)
    line = ''
    takeLine(text)
    return end + 1
  }

  /** The two kinds of lines that there are many of, where all of one is there; undefined: it is another one. */
  const readShortLine = (bytes: Buffer, from: number): number | undefined => {
    if (state === 'data end' && bytes[from] === CR && bytes[from + 1] === LF) {
      state = 'size'
      return from + 2
    }
    if (state !== 'size') return undefined
    let size = 0
    let at = from
    for (; at < from + SHORT_SIZE_DIGITS; at += 1) {
      const digit = HEX_VALUE[bytes[at] ?? 0] ?? NO_DIGIT
      if (digit === NO_DIGIT) break
      size = size * 16 + digit
    }
    // The last chunk, and whatever is written otherwise, is for those who read it closely.
    if (size === 0 || bytes[at] !== CR || bytes[at + 1] !== LF) return undefined
    left = size
    state = 'data'
    return at + 2
  }

  return {
    isDone: () => state === 'done',
    take(bytes, emit) {
      let at = 0
      let start = -1
      let end = -1
      while (at < bytes.byteLength && state !== 'done') {
        if (state === 'size' && line === '') {
          const to = start === -1 ? at + SHORT_HEAD_BYTES : end
          const moved = moveShortChunks(bytes, at, to)
          if (moved.at > at) {
            if (start === -1) start = to
            end = moved.end
            at = moved.at
            continue
          }
        }
        const next = line === '' ? readShortLine(bytes, at) : undefined
        if (next !== undefined) {
          at = next
          continue
        }
        if (state !== 'data') {
          at = readLine(bytes, at, state)
          continue
        }
        const size = Math.min(left, bytes.byteLength - at)
        if (start === -1) {
          start = at
          end = at
        } else if (size > NEAR_BYTES) bytes.copyWithin(end, at, at + size)
        else for (let offset = 0; offset < size; offset += 1) bytes[end + offset] = bytes[at + offset] ?? 0
        end += size
        at += size
        left -= size
        if (left === 0) state = 'data end'
      }
      if (start !== -1) emit(bytes.subarray(start, end))
      return at
    },
  }
}

/**
 * Moves the payloads of chunks of less than 16 bytes, as far as all of each is there, together behind `to`; gives how far it has come,
 * and where they end. There may be a hundred thousand of them in one read.
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
