import type { Duplex } from 'node:stream'
import { TOKEN } from '../../formats/http/hop-by-hop.ts'
import { ApiError } from '../../openai/api-error.ts'

/** The head of an HTTP/1.x response: text is Latin-1, one character for each byte (RFC 9112 §2.2). */
export interface ResponseHead {
  readonly status: number
  readonly reason: string
  readonly headers: Headers
}

/** A head, and the bytes that came behind it. */
export interface HeadAndRest {
  readonly head: ResponseHead
  readonly rest: Uint8Array
}

/** The limit on all heads of one answer together, interim ones included. */
const HEAD_BYTES_MAX = 64 * 1024
const LF = 0x0a
const CR = 0x0d
const BEGINNING = new TextEncoder().encode('HTTP/1.')
const STATUS_LINE = /^HTTP\/1\.[01] ([1-5]\d\d)(?: (.*))?$/
const FIELD_LINE = new RegExp(`^(${TOKEN})[\\t ]*:(.*)$`)
/** C1 controls are allowed: in text that is read as Latin-1 they are bytes of UTF-8. */
const CONTROL = /[\p{Cc}--[\t\u0080-\u009f]]/v

/**
 * Makes a reader of one response head: it is given chunks until it returns the head.
 *
 * Skips interim responses (RFC 9110 §15.2) other than 101. Tolerates a bare LF and a folded line (RFC 9112 §2.2, §5.2). Throws
 * `upstream_invalid_response` on bytes that are not HTTP/1.x, and on a head without end.
 */
function createHeadReader(): (chunk: Uint8Array) => HeadAndRest | undefined {
  let held: Uint8Array = new Uint8Array()
  let from = 0
  return (chunk) => {
    held = held.byteLength === 0 ? chunk : Buffer.concat([held, chunk])
    for (;;) {
      refuseOtherProtocol(held.subarray(from, from + BEGINNING.byteLength))
      const end = endOfHead(held, from)
      if ((end ?? held.byteLength) > HEAD_BYTES_MAX) throw invalid(`a head of more than ${HEAD_BYTES_MAX} bytes`)
      if (end === undefined) return undefined
      const head = parseHead(Buffer.from(held.subarray(from, end)).toString('latin1'))
      if (head.status >= 200 || head.status === 101) return { head, rest: held.subarray(end) }
      from = end
    }
  }
}

/** Refuses garbage by its first bytes, without waiting for an end that may never come. */
function refuseOtherProtocol(bytes: Uint8Array): void {
  if (bytes.some((byte, index) => byte !== BEGINNING[index])) throw invalid('bytes that are not HTTP/1.x')
}

/** Gives the end of the empty line; undefined: it has not come. */
function endOfHead(bytes: Uint8Array, from: number): number | undefined {
  for (let at = bytes.indexOf(LF, from); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    const next = bytes[at + 1] === CR ? at + 2 : at + 1
    if (bytes[next] === LF) return next + 1
  }
  return undefined
}

function parseHead(text: string): ResponseHead {
  const lines = text
    .trimEnd()
    .replaceAll(/\r?\n[\t ]+/g, ' ')
    .split(/\r?\n/)
  if (lines.some((line) => CONTROL.test(line))) throw invalid('a head with control characters')
  const statusLine = STATUS_LINE.exec(lines[0] ?? '')
  if (statusLine === null) throw invalid('a malformed status line')
  const headers = new Headers()
  for (const line of lines.slice(1)) {
    const [, name, value] = FIELD_LINE.exec(line) ?? []
    if (name === undefined || value === undefined) throw invalid('a malformed header line')
    headers.append(name, value.trim())
  }
  return { status: Number(statusLine[1]), reason: statusLine[2] ?? '', headers }
}

function invalid(what: string): ApiError {
  return new ApiError('upstream_invalid_response', { cause: `upstream answered an upgrade with ${what}` })
}

/**
 * Reads the head of a response from a socket, and leaves the socket paused behind it.
 *
 * Rejects when the socket ends or breaks first, and with `upstream_invalid_response` on bytes that are not HTTP/1.x.
 *
 * @example
 * const { head, rest } = await readHead(socket)
 */
export function readHead(socket: Duplex): Promise<HeadAndRest> {
  return new Promise((resolve, reject) => {
    const read = createHeadReader()
    const stop = (): void => {
      socket.pause()
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', fail)
    }
    const fail = (cause: unknown): void => {
      stop()
      reject(cause)
    }
    const onEnd = (): void => fail(new Error('the connection ended before an answer'))
    const onData = (chunk: Uint8Array): void => {
      try {
        const answer = read(chunk)
        if (answer === undefined) return
        stop()
        resolve(answer)
      } catch (cause) {
        fail(cause)
      }
    }
    socket.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', fail)
    // The socket is paused where a head was read from it before.
    socket.resume()
  })
}
