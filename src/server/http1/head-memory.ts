import type { BodilessRequest, HeadKind } from '../../exchange/arrival.ts'
import { noteHopByHop } from '../../formats/http/hop-by-hop.ts'

/** The request line of a head. */
export interface RequestLine {
  readonly method: string
  /** Exactly as it stands there (RFC 9112 §3.2). */
  readonly target: string
  readonly isHttp10: boolean
}

/** The number of memories: half a megabyte with an SDK’s heads, and 6 MB where each has all the headers that fit into 16 KiB. */
const HEADS_MAX = 128

/**
 * Makes the function that gives each new connection its memory. With more connections than memories, several share one.
 *
 * @example
 * const memoryFor = createHeadMemories()
 * const reader = new HeadReader(memoryFor(), deadlines, onTooSlow)
 */
export function createHeadMemories(): () => HeadMemory {
  const memories: HeadMemory[] = []
  let given = 0
  return () => {
    given = (given + 1) % HEADS_MAX
    memories[given] ??= new HeadMemory()
    return memories[given] as HeadMemory
  }
}

/** Of heads that are never like the one before, each of this many is remembered: more would cost more than it saves. */
const LEARN_EVERY = 16

/** Remembers the last head of a connection. */
export class HeadMemory {
  #last: KnownHead | undefined
  #misses = 0

  /** Gives the known head that a text is like, with the request that it asks for; undefined: it is like none. */
  find(text: string): { readonly line: RequestLine; readonly request: BodilessRequest } | undefined {
    const request = this.#last?.requestOf(text)
    if (this.#last === undefined || request === undefined) return undefined
    this.#misses = 0
    return { line: this.#last.line, request }
  }

  /** Remembers a head that was not found; `text` is its request line and its header lines. */
  learn(text: string, line: RequestLine, request: BodilessRequest): void {
    this.#last = this.#misses % LEARN_EVERY === 0 ? new KnownHead(text, line, request) : undefined
    this.#misses += 1
  }
}

/** As many lines may differ from those of a known head: more do where it is another caller's. */
const CHANGES_MAX = 4
const LINE_END = '\r\n'
/** The line that tells the length of the body. */
const LENGTH_LINE = /^(content-length:).*$/im
const VALUE = /^[\t -~\x80-\xff]*$/

function refuseChange(): never {
  throw new TypeError('headers that several requests share are not to be changed')
}

/** The prototype of headers that several requests share, itself a kind of `Headers`: nobody can change them (WHATWG Fetch §5.1, "immutable"). */
const SHARED: object = Object.create(Headers.prototype, {
  set: { value: refuseChange },
  append: { value: refuseChange },
  delete: { value: refuseChange },
})

/**
 * A head that was read and found good. The next head of a connection usually has the same lines but for a few values, such as the length
 * of the body: then only those are checked, and all other headers are copied. Where no line differs, it has the same headers.
 */
class KnownHead implements HeadKind {
  readonly line: RequestLine
  readonly #text: string
  readonly #url: string
  readonly #headers: Headers
  #lines: readonly string[] | undefined

  constructor(text: string, line: RequestLine, { url, headers }: BodilessRequest) {
    this.line = line
    this.#text = text
    this.#url = url
    this.#headers = headers
    Object.setPrototypeOf(headers, SHARED)
    noteHopByHop(headers, headers)
  }

  get text(): string {
    return this.#text.replace(LENGTH_LINE, '$1')
  }

  /** Makes the request that a head with this text asks for; undefined: it differs in more than a few values. */
  requestOf(text: string): BodilessRequest | undefined {
    const { method } = this.line
    if (text === this.#text) return { method, url: this.#url, headers: this.#headers, headKind: this }
    const changes = this.#changesTo(text)
    if (changes === null) return undefined
    const headers = new Headers(this.#headers)
    for (const [name, value] of changes) headers.set(name, value)
    if (!changes.some(([name]) => name.toLowerCase() === 'connection')) noteHopByHop(headers, this.#headers)
    return { method, url: this.#url, headers, headKind: changes.every(isLength) ? this : undefined }
  }

  /** The headers with other values; null: more than that differs. */
  #changesTo(text: string): readonly (readonly [string, string])[] | null {
    this.#lines ??= this.#text
      .split(LINE_END)
      .slice(0, -1)
      .map((line) => line + LINE_END)
    const changes: (readonly [string, string])[] = []
    let at = 0
    for (const line of this.#lines) {
      if (text.startsWith(line, at)) {
        at += line.length
        continue
      }
      const name = line.slice(0, line.indexOf(':') + 1)
      if (at === 0 || !text.startsWith(name, at) || this.#isRepeated(name, line)) return null
      const end = text.indexOf(LINE_END, at)
      const value = text.slice(at + name.length, end)
      if (!VALUE.test(value) || changes.push([name.slice(0, -1), value]) > CHANGES_MAX) return null
      at = end + LINE_END.length
    }
    return at === text.length ? changes : null
  }

  /** Whether a header stands in several lines, which have one value together. */
  #isRepeated(name: string, line: string): boolean {
    return this.#headers.get(name.slice(0, -1)) !== line.slice(name.length).trim()
  }
}

function isLength([name]: readonly [name: string, value: string]): boolean {
  return name.toLowerCase() === 'content-length'
}
