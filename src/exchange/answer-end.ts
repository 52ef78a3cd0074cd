import { isEncoded } from '../formats/bytes/decode-body.ts'
import { isEventStream, isJsonType } from '../formats/http/media-types.ts'
import { isJsonObject, type JsonObject } from '../formats/json/json.ts'
import type { ParsedEvent } from '../formats/sse/parse-event.ts'
import { StreamTail } from '../formats/sse/stream-tail.ts'
import {
  ENDPOINTS_WITH_LAST_EVENT,
  type EventMeaning,
  finishesAnswer,
  meaningAtEnd,
  meaningOf,
} from '../openai/answer-events.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import type { BodilessRequest } from './arrival.ts'

/** How long the rest of a body is read behind an answer's last event, so that the upstream's connection is kept; in milliseconds. */
export const REST_MS = 100

/** Tells how an answer that passes through has ended, by its bytes. It looks at nothing before it is asked. */
export interface AnswerEnd {
  /** A chunk has come. */
  add(chunk: Uint8Array): void
  /** The meaning of its last event: after all but `neither` the answer is complete, though its body may go on; undefined: unknown. */
  meaning(): EventMeaning | undefined
  /** Why a body that has come to its end is broken all the same; undefined: it is not. */
  whyBroken(): Error | undefined
  /** The event at its end with which it reports a failure, as JSON (empty, where that is none); undefined: it reports none there. */
  failure(): JsonObject | undefined
  /** The last bytes, as many as tell whether an event ends with them. */
  readonly lastBytes: Uint8Array
}

/** The end of an answer, and the clock for the bytes behind it. */
export interface WatchedEnd {
  readonly of: AnswerEnd
  readonly deadlines: Deadlines
}

/** The facts about an answer that its response does not tell. */
export interface AnswerSource {
  /** It comes from an upstream, with the headers that came: they tell whether its framing shows where it ends. */
  readonly isUpstreams: boolean
  readonly deadlines: Deadlines
}

const NOTHING = new Uint8Array()

/**
 * Makes the watch on the end of an answer; undefined: the answer's framing already tells how it ends.
 *
 * @example
 * const end = answerEndOf(exchange, answer, { isUpstreams: true, deadlines })
 */
export function answerEndOf(
  asked: { readonly request: BodilessRequest; readonly requestTarget: string },
  answer: Response,
  { isUpstreams, deadlines }: AnswerSource,
): WatchedEnd | undefined {
  const { headers } = answer
  const type = headers.get('content-type')
  const isFramed = !isUpstreams || isFramedBy(headers)
  const isGood = isUpstreams && answer.ok && asked.request.method === 'POST'
  const isInCode = isEncoded(headers.get('content-encoding'))
  if (!isEventStream(type)) {
    return isGood && !isFramed && !isInCode && isJsonType(type) ? { of: new JsonEnd(), deadlines } : undefined
  }
  const endpoint = endpointOf(asked.requestTarget)
  const isJudged = isGood && ENDPOINTS_WITH_LAST_EVENT.has(endpoint)
  return { of: isInCode ? new EncodedEnd(isJudged) : new StreamEnd(endpoint, isJudged, isFramed), deadlines }
}

/** Whether the framing shows the end of a body, so that a closed connection is no end (RFC 9112 §6.3). */
function isFramedBy(headers: Headers): boolean {
  return headers.has('content-length') || headers.get('transfer-encoding')?.toLowerCase().includes('chunked') === true
}

function withoutEvent(): ApiError {
  return new ApiError('upstream_invalid_response', { cause: 'a stream without an event' })
}

/** A stream of events. */
class StreamEnd implements AnswerEnd {
  readonly #tail = new StreamTail()
  readonly #endpoint: string
  readonly #isJudged: boolean
  readonly #isFramed: boolean

  constructor(endpoint: string, isJudged: boolean, isFramed: boolean) {
    this.#endpoint = endpoint
    this.#isJudged = isJudged
    this.#isFramed = isFramed
  }

  add(chunk: Uint8Array): void {
    this.#tail.add(chunk)
  }

  meaning(): EventMeaning {
    const last = this.#tail.events().at(-1)
    return last === undefined ? 'neither' : meaningAtEnd(this.#endpoint, last)
  }

  failure(): JsonObject | undefined {
    const isFailure = (event: ParsedEvent): boolean => meaningOf(this.#endpoint, event) === 'failure'
    // Some servers send a `[DONE]` even behind a failure.
    const failed = this.#tail.events().findLast(isFailure) ?? this.#tail.eventsBefore().findLast(isFailure)
    return failed === undefined ? undefined : objectOf(failed.data)
  }

  whyBroken(): Error | undefined {
    if (!this.#isJudged) return undefined
    if (!this.#tail.hasEvents) return withoutEvent()
    if (this.#isFramed || this.meaning() !== 'neither') return undefined
    // Some servers leave out the last event: then the last choice's end is the answer's.
    const isFinished = this.#tail.events().some(({ data }) => finishesAnswer(data))
    return isFinished ? undefined : new Error('the stream ended before its last event')
  }

  get lastBytes(): Uint8Array {
    return this.#tail.lastBytes
  }
}

/** An encoded stream, whose bytes mean nothing here: only their presence can be told. */
class EncodedEnd implements AnswerEnd {
  readonly #isJudged: boolean
  #hasBytes = false
  readonly lastBytes = NOTHING

  constructor(isJudged: boolean) {
    this.#isJudged = isJudged
  }

  add(chunk: Uint8Array): void {
    this.#hasBytes ||= chunk.byteLength > 0
  }

  meaning(): undefined {
    return undefined
  }

  failure(): undefined {
    return undefined
  }

  whyBroken(): Error | undefined {
    return this.#isJudged && !this.#hasBytes ? withoutEvent() : undefined
  }
}

const CLOSING: ReadonlySet<number | undefined> = new Set([0x5d, 0x7d])
const SPACE = 0x20

/** A JSON answer that ends with its connection, which may have ended for any reason. */
class JsonEnd implements AnswerEnd {
  #last = NOTHING
  readonly lastBytes = NOTHING

  add(chunk: Uint8Array): void {
    const end = chunk.findLastIndex((byte) => byte > SPACE)
    if (end !== -1) this.#last = chunk.slice(end, end + 1)
  }

  meaning(): EventMeaning {
    return 'neither'
  }

  failure(): undefined {
    return undefined
  }

  whyBroken(): Error | undefined {
    return CLOSING.has(this.#last[0]) ? undefined : new Error('the answer ended before its JSON did')
  }
}

function objectOf(data: string | undefined): JsonObject {
  try {
    const value: unknown = JSON.parse(data ?? '')
    return isJsonObject(value) ? value : {}
  } catch {
    return {}
  }
}
