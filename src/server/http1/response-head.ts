import { HOP_BY_HOP } from '../../formats/http/hop-by-hop.ts'
import { REASONS } from '../../formats/http/reasons.ts'

/** How a client recognises the end of a response's body (RFC 9112 §6.3). */
export type ResponseFraming = 'none' | 'length' | 'chunked' | 'close'

/** The inputs of a response's head besides the response. */
export interface ResponseHeadOptions {
  readonly head: { readonly method: string; readonly isHttp10: boolean }
  /** Whether the connection ends with this response. */
  readonly isLast: boolean
  /** The length of the body, where it is known beforehand; undefined: a stream. */
  readonly bodyBytes: number | undefined
}

/** The characters that a reason may have (RFC 9112 §4); the upstream's own is replaced if it has others. */
const REASON = /^[\t\x20-\x7e\x80-\uffff]*$/

/**
 * Writes the head of a response, where each character of a header is one byte, and decides how the body is framed.
 *
 * @example
 * const { text, framing } = writeResponseHead(response, { head, isLast, bodyBytes })
 */
export function writeResponseHead(
  { status, statusText, headers }: Response,
  { head: { method, isHttp10 }, bodyBytes, isLast: isAskedLast }: ResponseHeadOptions,
): { readonly text: string; readonly framing: ResponseFraming; readonly isLast: boolean } {
  const fields = headers.toJSON()
  const hasLength = fields['content-length'] !== undefined
  const isBodiless = method === 'HEAD' || status === 204 || status === 304 || status < 200
  const framing = isBodiless ? 'none' : framingOf(hasLength, bodyBytes, isHttp10)
  const isCounted = framing === 'length' && bodyBytes !== undefined
  let text = `HTTP/1.1 ${status} ${reasonOf(status, statusText)}\r\n`
  for (const name in fields) {
    const value: unknown = fields[name]
    // Headers of the connection are this hop's to write.
    if (HOP_BY_HOP.has(name) || (isCounted && name === 'content-length')) {
      // A 426 has to name the protocol to use instead (RFC 9110 §15.5.22).
      if (status === 426 && name === 'upgrade') text += `upgrade: ${value}\r\nconnection: upgrade\r\n`
      continue
    }
    if (Array.isArray(value)) for (const one of value) text += `${name}: ${one}\r\n`
    else text += `${name}: ${value}\r\n`
  }
  if (fields['date'] === undefined) text += `date: ${dateNow()}\r\n`
  if (isCounted) text += `content-length: ${bodyBytes}\r\n`
  if (framing === 'chunked') text += 'transfer-encoding: chunked\r\n'
  const isLast = isAskedLast || framing === 'close' || fields['connection'] === 'close'
  if (isLast) text += 'connection: close\r\n'
  else if (isHttp10) text += 'connection: keep-alive\r\n'
  return { text: `${text}\r\n`, framing, isLast }
}

function framingOf(hasLength: boolean, bodyBytes: number | undefined, isHttp10: boolean): ResponseFraming {
  if (hasLength || bodyBytes !== undefined) return 'length'
  return isHttp10 ? 'close' : 'chunked'
}

function reasonOf(status: number, statusText: string): string {
  if (statusText !== '' && REASON.test(statusText)) return Buffer.from(statusText).toString('latin1')
  return REASONS[status] ?? ''
}

let second = 0
let date = ''

/** Gives the time in the format of `Date` (RFC 9110 §5.6.7), made once a second. */
function dateNow(): string {
  const now = Math.floor(Date.now() / 1000)
  if (now !== second) {
    second = now
    date = new Date(now * 1000).toUTCString()
  }
  return date
}
