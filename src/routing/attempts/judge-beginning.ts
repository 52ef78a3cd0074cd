import { isEventStream, isJsonType } from '../../formats/http/media-types.ts'
import { isJsonObject, type JsonObject } from '../../formats/json/json.ts'
import { EventSplitter } from '../../formats/sse/event-splitter.ts'
import { parseEvent } from '../../formats/sse/parse-event.ts'
import { meaningOf } from '../../openai/answer-events.ts'
import { isFailedAnswer } from '../../openai/failed-answer.ts'
import { holdsGenerated, opensStream } from '../../openai/generated.ts'
import { MODEL_ENDPOINTS } from '../../openai/resources.ts'

/** The verdict on the beginning of an answer with a good status. */
export type BeginningVerdict =
  /** An answer, or something that can't be told from one: it goes on. */
  | { readonly kind: 'answer' }
  /** An error, before the model made anything. */
  | { readonly kind: 'error'; readonly value: JsonObject }
  /** An event stream that has ended without an event. */
  | { readonly kind: 'empty' }

/** Judges an answer's beginning, piece by piece. */
export interface BeginningJudge {
  /** Takes the next bytes; undefined: there is no verdict yet. */
  add(bytes: Uint8Array): BeginningVerdict | undefined
  /** Gives the verdict where nothing more comes. */
  end(): BeginningVerdict
  /** Whether an answer that has come in full is handed on as a whole. */
  readonly isWhole: boolean
}

/** The endpoints whose answers a model makes, so that an error in a good answer is a failure to make one. */
const MADE: ReadonlySet<string> = new Set([
  ...MODEL_ENDPOINTS,
  'responses',
  'messages',
  'moderations',
  'images/variations',
])

/** The longest error. Anything longer is an answer. */
const BYTES_MAX = 64 * 1024
const ANSWER: BeginningVerdict = { kind: 'answer' }
const BLANK = /^\s*$/
/** The texts of which each answer with a failure has one. Most answers have none, and need not be parsed. */
const MAY_FAIL = /error|"status"/

/**
 * Makes the judge of an answer's beginning; undefined: an answer of this kind holds no error, or can't be read.
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

/** Looks for the first event with a meaning. */
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
    // An event that opens a stream is passed over only where the same bytes hold another event.
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

/** Waits for all of a short answer, which is complete when it begins to come, and comes at once. */
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
    // Leading white space keeps the connection of a slow answer alive, so it must go on now.
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
