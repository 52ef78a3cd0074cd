import { isEventStream, isJsonType } from '../../formats/http/media-types.ts'
import { isJsonObject, type JsonObject } from '../../formats/json/json.ts'
import { EventSplitter } from '../../formats/sse/event-splitter.ts'
import { parseEvent } from '../../formats/sse/parse-event.ts'
import { meaningOf } from '../../openai/answer-events.ts'
import { isFailedAnswer } from '../../openai/failed-answer.ts'
import { holdsGenerated, opensStream } from '../../openai/generated.ts'
import { MODEL_ENDPOINTS } from '../../openai/resources.ts'

/** What the beginning of an answer with a good status comes to. */
export type BeginningVerdict =
  /** An answer, or what can't be told from one: it goes on. */
  | { readonly kind: 'answer' }
  /** An error, before anything was made. */
  | { readonly kind: 'error'; readonly value: JsonObject }
  /** An event stream that has ended without an event. */
  | { readonly kind: 'empty' }

/** Reads an answer's beginning, piece by piece, until it can tell. */
export interface BeginningJudge {
  /** Takes what has come; undefined: that does not tell yet. */
  add(bytes: Uint8Array): BeginningVerdict | undefined
  /** Nothing more comes. */
  end(): BeginningVerdict
  /** Whether an answer of which all has come is handed on as a whole. */
  readonly isWhole: boolean
}

/** What is made by a model, where an error in a good answer is a failure to make it. */
const MADE: ReadonlySet<string> = new Set([
  ...MODEL_ENDPOINTS,
  'responses',
  'messages',
  'moderations',
  'images/variations',
])

/** No error is longer; what is, is an answer. */
const BYTES_MAX = 64 * 1024
const ANSWER: BeginningVerdict = { kind: 'answer' }
const BLANK = /^\s*$/
/** What an answer that reports a failure has in it, somewhere: most have not, and need not be parsed. */
const MAY_FAIL = /error|"status"/

/**
 * Makes the judge of an answer's beginning; undefined: an answer of its kind holds no error, or can't be looked into.
 *
 * @example
 * const judge = judgeOf('POST', 'chat/completions', answer)
 */
export function judgeOf(method: string, endpoint: string, { headers, body }: Response): BeginningJudge | undefined {
  if (method !== 'POST' || body === null || !MADE.has(endpoint)) return undefined
  const type = headers.get('content-type')
  if (isEventStream(type)) return new EventJudge(endpoint)
  const length = Number(headers.get('content-length') ?? 0)
  return isJsonType(type) && length <= BYTES_MAX ? new JsonJudge(endpoint) : undefined
}

/** Looks for the first event that says something. */
class EventJudge implements BeginningJudge {
  readonly isWhole = false
  readonly #endpoint: string
  readonly #splitter = new EventSplitter(BYTES_MAX)
  #isFirst = true
  #hasEvent = false

  constructor(endpoint: string) {
    this.#endpoint = endpoint
  }

  add(bytes: Uint8Array): BeginningVerdict | undefined {
    for (const piece of this.#splitter.split(bytes)) {
      const verdict = piece.isStart && piece.isEnd ? this.#judge(piece.bytes) : ANSWER
      if (verdict !== undefined) return verdict
    }
    // What opens a stream is passed over only for what has come along with it.
    return this.#hasEvent ? ANSWER : undefined
  }

  end(): BeginningVerdict {
    const rest = this.#splitter.end()
    const verdict = rest === undefined ? undefined : this.#judge(rest.bytes)
    return verdict ?? (this.#hasEvent ? ANSWER : { kind: 'empty' })
  }

  #judge(bytes: Uint8Array): BeginningVerdict | undefined {
    const { event, data } = parseEvent(bytes, this.#isFirst)
    this.#isFirst = false
    if (data === undefined || data === '') return undefined
    this.#hasEvent = true
    const value = parseObject(data)
    const isFailure = meaningOf(this.#endpoint, { event, data }) === 'failure'
    if (isFailure) return verdictOn(value ?? { error: data })
    return value !== undefined && opensStream(value) ? undefined : ANSWER
  }
}

/** Waits for all of a short answer: it has been made by then, and comes at once. */
class JsonJudge implements BeginningJudge {
  readonly isWhole = true
  readonly #endpoint: string
  readonly #decoder = new TextDecoder()
  #text = ''

  constructor(endpoint: string) {
    this.#endpoint = endpoint
  }

  add(bytes: Uint8Array): BeginningVerdict | undefined {
    this.#text += this.#decoder.decode(bytes, { stream: true })
    // White space in front keeps a slow answer's connection alive: it is wanted now.
    if (this.#text !== '' && BLANK.test(this.#text)) return ANSWER
    return this.#text.length > BYTES_MAX ? ANSWER : undefined
  }

  end(): BeginningVerdict {
    const value = MAY_FAIL.test(this.#text) ? parseObject(this.#text) : undefined
    return value !== undefined && isFailedAnswer(this.#endpoint, value) ? verdictOn(value) : ANSWER
  }
}

function verdictOn(value: JsonObject): BeginningVerdict {
  return holdsGenerated(value) ? ANSWER : { kind: 'error', value }
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
