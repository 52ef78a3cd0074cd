/** One request as a strict reader sees it. Text is Latin-1. */
export interface ReadRequest {
  readonly method: string
  readonly target: string
  readonly body: string
  /** Whether a proxy may send it on: it has one Host and an absolute path. */
  readonly isForwardable: boolean
}

/** What a strict reader makes of all that was sent on a connection. */
export interface Reading {
  readonly requests: readonly ReadRequest[]
  /**
   * `open`: all is read, and more may come. `closing`: the last request was the connection's last. `malformed`: what follows is no HTTP/1.1,
   * whatever may still come. `unfinished`: a request's end is missing.
   */
  readonly end: 'open' | 'closing' | 'malformed' | 'unfinished'
}

const HEAD_CHARS_MAX = 16 * 1024
/** Longer ones serve nobody but who wants to keep a server busy. */
const CHUNK_LINE_CHARS_MAX = 4096
const TRAILER_CHARS_MAX = 16 * 1024
const TCHAR = "[!#$%&'*+.^_`|~0-9A-Za-z-]"
const VALUE = '[\\t\\x20-\\x7e\\x80-\\xff]*'
const REQUEST_LINE = new RegExp(`^(${TCHAR}+) ([\\x21-\\x7e]+) HTTP/1\\.([01])$`)
const FIELD = new RegExp(`^(${TCHAR}+):(${VALUE})$`)
const METHOD_BEGINS = new RegExp(`^(?:${TCHAR}+(?: |$))`)

interface Head {
  readonly request: Omit<ReadRequest, 'body'>
  readonly framing: 'chunked' | number
  readonly isLast: boolean
  readonly end: number
}

/**
 * Reads a connection's bytes as RFC 9112 spells them, and nothing else: written for this suite, and sharing nothing with the server.
 *
 * @example
 * const { requests, end } = readRequests('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
 */
export function readRequests(text: string): Reading {
  const requests: ReadRequest[] = []
  let at = 0
  for (;;) {
    // One empty line is left over from a body before; more are nobody's (RFC 9112 §2.2).
    if (text.startsWith('\r\n', at)) at += 2
    if (at === text.length) return { requests, end: 'open' }
    const head = readHead(text, at)
    if (head === 'malformed' || head === 'unfinished') return { requests, end: head }
    const body = head.framing === 'chunked' ? readChunks(text, head.end) : readLength(text, head.end, head.framing)
    if (body === 'malformed' || body === 'unfinished') return { requests, end: body }
    requests.push({ ...head.request, body: body.text })
    at = body.end
    if (head.isLast) return { requests, end: 'closing' }
  }
}

function readHead(text: string, from: number): Head | 'malformed' | 'unfinished' {
  const end = text.indexOf('\r\n\r\n', from)
  const head = text.slice(from, end === -1 ? text.length : end)
  // What can't become a head, whatever follows. The last character may be the first half of a line's end.
  if (/(?<!\r)\n|\r(?!\n|$)/.test(head) || head.length > HEAD_CHARS_MAX) return 'malformed'
  if (!METHOD_BEGINS.test(head) && !/^\r?$/.test(head)) return 'malformed'
  if (end === -1) return 'unfinished'
  const [first = '', ...lines] = head.split('\r\n')
  const [, method = '', target = '', minor] = REQUEST_LINE.exec(first) ?? []
  const fields = lines.map((line) => FIELD.exec(line))
  if (method === '' || fields.includes(null)) return 'malformed'
  const valuesOf = (name: string): readonly string[] =>
    fields.flatMap((field) =>
      field?.[1]?.toLowerCase() === name ? [(field[2] ?? '').replaceAll(/^[\t ]+|[\t ]+$/g, '')] : [],
    )
  const framing = framingOf(valuesOf('transfer-encoding'), valuesOf('content-length'), minor === '0')
  if (framing === undefined) return 'malformed'
  const options = valuesOf('connection').join().toLowerCase()
  const hosts = valuesOf('host')
  return {
    request: { method, target, isForwardable: target.startsWith('/') && hosts.length === 1 && hosts[0] !== '' },
    framing,
    isLast: options.includes('close') || method === 'CONNECT' || (minor === '0' && !options.includes('keep-alive')),
    end: end + 4,
  }
}

/** undefined: two readers may disagree on where the body ends (RFC 9112 §6.3). */
function framingOf(
  codings: readonly string[],
  lengths: readonly string[],
  isHttp10: boolean,
): 'chunked' | number | undefined {
  if (codings.length > 0) {
    const isPlain = codings.length === 1 && codings[0]?.toLowerCase() === 'chunked'
    return isPlain && lengths.length === 0 && !isHttp10 ? 'chunked' : undefined
  }
  const [length] = lengths
  if (length === undefined) return 0
  return lengths.length === 1 && /^\d{1,15}$/.test(length) ? Number(length) : undefined
}

type ReadBody = { readonly text: string; readonly end: number } | 'malformed' | 'unfinished'

function readLength(text: string, from: number, length: number): ReadBody {
  const end = from + length
  return end > text.length ? 'unfinished' : { text: text.slice(from, end), end }
}

const QUOTED = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"'
/** With the blanks that a reader may overlook (RFC 9112 §7.1.1). */
const EXTENSION = `[\\t ]*;[\\t ]*${TCHAR}+(?:[\\t ]*=[\\t ]*(?:${TCHAR}+|${QUOTED}))?`
const CHUNK_LINE = new RegExp(`^0*([0-9A-Fa-f]{0,12})(?:${EXTENSION})*$`)

function readChunks(text: string, from: number): ReadBody {
  const parts: string[] = []
  let at = from
  for (;;) {
    const line = readLine(text, at)
    if (typeof line === 'string') return line
    const size = CHUNK_LINE.exec(line.text)?.[1]
    if (size === undefined || !/^[0-9A-Fa-f]/.test(line.text) || line.text.length > CHUNK_LINE_CHARS_MAX)
      return 'malformed'
    at = line.end
    const bytes = size === '' ? 0 : Number.parseInt(size, 16)
    if (bytes === 0) break
    if (at + bytes > text.length) return 'unfinished'
    parts.push(text.slice(at, at + bytes))
    at += bytes
    const behind = text.slice(at, at + 2)
    if (!'\r\n'.startsWith(behind)) return 'malformed'
    if (behind !== '\r\n') return 'unfinished'
    at += 2
  }
  const trailersFrom = at
  for (;;) {
    const line = readLine(text, at)
    if (typeof line === 'string') return line
    at = line.end
    if (at - trailersFrom > TRAILER_CHARS_MAX) return 'malformed'
    if (line.text === '') return { text: parts.join(''), end: at }
    if (!FIELD.test(line.text)) return 'malformed'
  }
}

function readLine(
  text: string,
  from: number,
): { readonly text: string; readonly end: number } | 'malformed' | 'unfinished' {
  const odd = /[\r\n]/g
  odd.lastIndex = from
  const at = odd.exec(text)?.index
  if (at === undefined || (text[at] === '\r' && at + 1 === text.length)) return 'unfinished'
  return text.startsWith('\r\n', at) ? { text: text.slice(from, at), end: at + 2 } : 'malformed'
}
