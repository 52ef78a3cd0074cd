import { TOKEN } from '../../formats/http/hop-by-hop.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Deadline, Deadlines } from '../../timing/deadlines.ts'
import type { HeadMemory } from './head-memory.ts'
import {
  assertCoding,
  assertLength,
  FIELD_LINES,
  KNOWN_METHODS,
  oddFieldLine,
  oddRequestLine,
  REQUEST_LINE,
  type RequestHead,
  readRequestHead,
  refused,
  startOf,
} from './request-head.ts'

/** The beginnings of a well-formed request line, up to any of its characters. */
const LINE_SO_FAR = new RegExp(
  `^(?:${TOKEN}(?: (?:[\\x21-\\x7e]+(?: (?:H(?:T(?:T(?:P(?:/(?:1(?:\\.(?:[01]\\r?)?)?)?)?)?)?)?)?)?)?)?)?$`,
)
/** The beginnings of a well-formed header line; the head's last line is empty. */
const FIELD_SO_FAR = new RegExp(`^(?:\\r|${TOKEN}(?::[\\t -~\\x80-\\xff]*\\r?)?)?$`)
const METHOD_SO_FAR = new RegExp(`^${TOKEN}(?= |$)`)
const VERSION_BEGINS = / HTTP\//
const FRAMING = /^(content-length|transfer-encoding):[\t ]*(.*?)[\t ]*\r$/gim

/**
 * The head of a request whose end has not come. Bytes that can't become a request any more are refused at once: their end may never
 * come. Each line is checked once, however many pieces the head comes in.
 */
export class PartialHead {
  /** Where the line begins whose end has not come. */
  #at: number | undefined
  #isHttp10: boolean | undefined
  #hasLength = false
  #hasCoding = false

  /** Checks the bytes that have come by now, from the head's first byte on. Throws what `readRequestHead` throws. */
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
      if (!KNOWN_METHODS.has(method)) throw refused('method_not_allowed', 'a method')
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

function checkRequestLine(text: string): void {
  // The empty line before the request may be coming.
  if (text === '' || text === '\r') return
  const method = METHOD_SO_FAR.exec(text)?.[0]
  if (method === undefined) throw refused('method_not_allowed', 'bytes that are no HTTP')
  const isWhole = method.length < text.length
  const isKnown = isWhole ? KNOWN_METHODS.has(method) : KNOWN_METHODS.values().some((known) => known.startsWith(method))
  if (!isKnown) throw refused('method_not_allowed', 'a method')
  if (LINE_SO_FAR.test(text)) return
  const isTarget = !(/[\r\n]/.test(text) || VERSION_BEGINS.test(text))
  throw refused(isTarget ? 'invalid_target' : 'malformed_request', 'a request line')
}

/** The time that a head may take to come: the guard against slowloris. */
const HEAD_MS = 15_000
/** The most bytes of requests that a client may send ahead of its answers. */
const AHEAD_BYTES_MAX = 64 * 1024

/** Gathers the bytes of a connection until they hold the head of a request. */
export class HeadReader {
  readonly #memory: HeadMemory
  readonly #deadlines: Deadlines
  readonly #onTooSlow: (error: ApiError) => void
  #held: Buffer | undefined
  #clock: Deadline | undefined
  #partial: PartialHead | undefined

  constructor(memory: HeadMemory, deadlines: Deadlines, onTooSlow: (error: ApiError) => void) {
    this.#memory = memory
    this.#deadlines = deadlines
    this.#onTooSlow = onTooSlow
  }

  /** Whether bytes of a next request have come. */
  get hasBytes(): boolean {
    return this.#held !== undefined
  }

  /** Keeps bytes of the next request; returns whether there is room for more. */
  hold(bytes: Buffer): boolean {
    this.#held = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes])
    return this.#held.byteLength <= AHEAD_BYTES_MAX
  }

  /**
   * Takes bytes, and gives a head together with the bytes behind it; undefined: the head's end has not come. Throws what
   * `readRequestHead` throws, as soon as the bytes can't become a head any more.
   */
  read(bytes: Buffer | undefined): { readonly head: RequestHead; readonly rest: Buffer | undefined } | undefined {
    if (bytes !== undefined && this.#held !== undefined) this.hold(bytes)
    const all = this.#held ?? bytes
    if (all === undefined) return undefined
    const head = readRequestHead(all, this.#memory)
    if (head === undefined) {
      this.#held = all
      this.#partial ??= new PartialHead()
      this.#partial.check(all)
      this.#clock ??= this.#deadlines.start(HEAD_MS, () => this.#onTooSlow(new ApiError('upload_timeout')))
      return undefined
    }
    this.#held = undefined
    this.#partial = undefined
    this.stop()
    return { head, rest: head.end < all.byteLength ? all.subarray(head.end) : undefined }
  }

  /** Stops the clock of the head. */
  stop(): void {
    this.#clock?.clear()
    this.#clock = undefined
  }
}
