import { TOKEN } from '../../formats/http/hop-by-hop.ts'
import {
  assertCoding,
  assertLength,
  FIELD_LINES,
  METHODS,
  oddFieldLine,
  oddRequestLine,
  REQUEST_LINE,
  refused,
} from './head-lines.ts'

/** What a request line may begin with, up to any of its characters. */
const LINE_SO_FAR = new RegExp(
  `^(?:${TOKEN}(?: (?:[\\x21-\\x7e]+(?: (?:H(?:T(?:T(?:P(?:/(?:1(?:\\.(?:[01]\\r?)?)?)?)?)?)?)?)?)?)?)?)?$`,
)
/** What a line of headers may begin with; the head's last line is empty. */
const FIELD_SO_FAR = new RegExp(`^(?:\\r|${TOKEN}(?::[\\t -~\\x80-\\xff]*\\r?)?)?$`)
const METHOD_SO_FAR = new RegExp(`^${TOKEN}(?= |$)`)
const VERSION_BEGINS = / HTTP\//
const FRAMING = /^(content-length|transfer-encoding):[\t ]*(.*?)[\t ]*\r$/gim

/**
 * The head of a request of which not all has come. What can't become a request any more is refused as soon as that is certain: its
 * end may never come. Each line is looked at once, however many pieces the head comes in.
 *
 * @example
 * const soFar = new HeadSoFar()
 * soFar.check(bytes)
 */
export class HeadSoFar {
  /** Where the first line begins that has not ended. */
  #at: number | undefined
  #isHttp10: boolean | undefined
  #hasLength = false
  #hasCoding = false

  /** Looks at what has come by now, all of it from the head's first byte on. Throws what `readRequestHead` throws. */
  check(bytes: Buffer): void {
    const from = this.#at ?? startOf(bytes)
    const text = bytes.toString('latin1', from)
    const ended = text.lastIndexOf('\r\n') + 2
    const lines = ended === 1 ? '' : text.slice(0, ended)
    if (lines !== '') this.#checkLines(lines)
    const rest = text.slice(lines.length)
    if (this.#isHttp10 === undefined) checkRequestLine(rest)
    else if (!FIELD_SO_FAR.test(rest)) throw oddFieldLine(rest)
    if (bytes.byteLength > 1) this.#at = from + lines.length
  }

  #checkLines(lines: string): void {
    let from = 0
    if (this.#isHttp10 === undefined) {
      REQUEST_LINE.lastIndex = 0
      const [, method = '', , minor] = REQUEST_LINE.exec(lines) ?? []
      if (minor === undefined) throw oddRequestLine(lines)
      if (!METHODS.has(method)) throw refused('method_not_allowed', 'a method')
      from = REQUEST_LINE.lastIndex
      this.#isHttp10 = minor === '0'
    }
    if (from === lines.length) return
    FIELD_LINES.lastIndex = from
    FIELD_LINES.test(lines)
    if (FIELD_LINES.lastIndex !== lines.length) throw oddFieldLine(lines.slice(Math.max(from, FIELD_LINES.lastIndex)))
    this.#checkFraming(lines.slice(from))
  }

  #checkFraming(lines: string): void {
    for (const [, name = '', value = ''] of lines.matchAll(FRAMING)) {
      const isLength = name.length === 'content-length'.length
      if (isLength ? this.#hasLength : this.#hasCoding)
        throw refused('malformed_request', 'a repeated length or coding')
      if (isLength) this.#hasLength = true
      else this.#hasCoding = true
      if (isLength) assertLength(value)
      else assertCoding(value, this.#hasLength, this.#isHttp10 === true)
    }
    if (this.#hasLength && this.#hasCoding) throw refused('malformed_request', 'a length beside a coding')
  }
}

/** One empty line before a request is left over from the last one's body (RFC 9112 §2.2). */
export function startOf(bytes: Buffer): 0 | 2 {
  return bytes[0] === 0x0d && bytes[1] === 0x0a ? 2 : 0
}

function checkRequestLine(text: string): void {
  // The empty line before it may be coming.
  if (text === '' || text === '\r') return
  const method = METHOD_SO_FAR.exec(text)?.[0]
  if (method === undefined) throw refused('method_not_allowed', 'bytes that are no HTTP')
  const isWhole = method.length < text.length
  const isKnown = isWhole ? METHODS.has(method) : METHODS.values().some((known) => known.startsWith(method))
  if (!isKnown) throw refused('method_not_allowed', 'a method')
  if (LINE_SO_FAR.test(text)) return
  const isTarget = !(/[\r\n]/.test(text) || VERSION_BEGINS.test(text))
  throw refused(isTarget ? 'invalid_target' : 'malformed_request', 'a request line')
}
