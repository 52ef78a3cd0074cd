import { canDecode, decodeBody, isEncoded } from '../bytes/decode-body.ts'
import { joinBytes } from '../bytes/join-bytes.ts'
import { EventEnds } from '../formats/sse/event-ends.ts'
import { type ParsedEvent, parseEvent } from '../formats/sse/parse-event.ts'
import { StreamTail } from '../formats/sse/stream-tail.ts'
import { isJsonObject } from '../json/json.ts'
import { isJsonType } from '../json/json-type.ts'
import { ENDPOINTS_WITH_LAST_EVENT, isDone, meaningAtEnd, meaningOf, OpenChoices } from './answer-events.ts'
import { isFailedAnswer, isUnderWay } from './failed-answer.ts'

/** An answer that decodes to more is not looked through. */
const DECODED_BYTES_MAX = 64 * 1024 * 1024
/** A larger text is parsed only where it may be a failure's. */
const PARSED_CHARS_MAX = 256 * 1024
/** What stands in every JSON that is a failure's: these words, or an escape that may hide them. */
const MAY_HAVE_FAILED = /error|failed|cancelled|queued|in_progress|\\u00/
/** Servers leave out the type, or give another one: here it is always JSON or events. */
const OF_JSON_OR_EVENTS: ReadonlySet<string> = new Set([
  ...['chat/completions', 'completions', 'responses', 'messages', 'embeddings', 'moderations'],
])

/** A body, as it came. */
type Chunks = readonly { readonly bytes: Uint8Array }[]

const UTF_8 = new TextDecoder()

/**
 * What a body that has come to its end is, by what it says once decoded: all of an answer, one that says that its upstream is still at
 * work, the report of a failure, or an answer that was cut. `unreadable`: nobody here can tell.
 */
export type Verdict = 'whole' | 'begun' | 'failed' | 'cut' | 'unreadable'

/**
 * Whether a body that has come to its end is an answer to keep: neither the report of a failure, at its beginning or in its midst,
 * nor one that was cut. A body that can't be decoded is none.
 *
 * @example
 * const isKept = await isWholeAnswer('chat/completions', answer.headers, chunks)
 */
export function isWholeAnswer(endpoint: string, headers: Headers, chunks: Chunks): boolean | Promise<boolean> {
  const verdict = verdictOn(endpoint, headers, chunks)
  return typeof verdict === 'string' ? verdict === 'whole' : verdict.then((later) => later === 'whole')
}

/**
 * Says what a body is that has come to its end.
 *
 * A stream is whole with its protocol's last event; that of a completion also where each choice has ended, since some servers
 * send no `[DONE]`. Only where the body is encoded the verdict comes later.
 *
 * @example
 * const verdict = await verdictOn('responses', answer.headers, chunks)
 */
export function verdictOn(endpoint: string, headers: Headers, chunks: Chunks): Verdict | Promise<Verdict> {
  const type = headers.get('content-type')?.toLowerCase() ?? ''
  const coding = headers.get('content-encoding')
  const isJudged = isText(type) || OF_JSON_OR_EVENTS.has(endpoint)
  if (!isJudged && !isEncoded(coding)) return 'whole'
  const came = joinBytes(chunks.map(({ bytes }) => bytes))
  const judge = (plain: Uint8Array): Verdict => (isJudged ? verdictOnText(endpoint, type, plain) : 'whole')
  if (!isEncoded(coding)) return judge(came)
  return decodeBody(came, coding, DECODED_BYTES_MAX).then((plain) => {
    if (plain instanceof Uint8Array) return judge(plain)
    return plain === undefined && canDecode(coding) ? 'cut' : 'unreadable'
  })
}

/**
 * Whether what has come of a body holds all of the answer, though its end has not: a stream of events that stands behind its last
 * one. Of an encoded body that can't be told.
 *
 * @example
 * const isLeft = !isInFull(endpointOf(target), answer.headers, chunks)
 */
export function isInFull(endpoint: string, headers: Headers, chunks: Chunks): boolean {
  if (!isEventStream(headers.get('content-type')?.toLowerCase() ?? '')) return false
  if (isEncoded(headers.get('content-encoding'))) return false
  const tail = new StreamTail()
  for (const { bytes } of chunks) tail.add(bytes)
  const last = tail.events().at(-1)
  return last !== undefined && meaningAtEnd(endpoint, last) !== 'neither'
}

function isText(type: string): boolean {
  return isEventStream(type) || isJsonType(type)
}

function isEventStream(type: string): boolean {
  return type.startsWith('text/event-stream')
}

function verdictOnText(endpoint: string, type: string, plain: Uint8Array): Verdict {
  if (isEventStream(type)) return verdictOnStream(endpoint, plain)
  const text = UTF_8.decode(plain).trim()
  if (isJsonType(type) || text.startsWith('{') || text.startsWith('[')) {
    return verdictOnJson(endpoint, text)
  }
  return /^(?:data|event|id|retry)?:/.test(text) ? verdictOnStream(endpoint, plain) : 'whole'
}

function verdictOnStream(endpoint: string, plain: Uint8Array): Verdict {
  const hasLastEvent = ENDPOINTS_WITH_LAST_EVENT.has(endpoint)
  let isOver = !hasLastEvent
  const datas: string[] = []
  for (const event of eventsIn(plain)) {
    if (event.data === undefined) continue
    datas.push(event.data)
    const meaning = meaningOf(endpoint, event)
    if (meaning === 'failure') return 'failed'
    // Some send it behind another protocol's last event.
    if (meaning === 'last') isOver = true
    else if (hasLastEvent && !isDone(event.data)) isOver = false
  }
  return isOver || (isCompletion(endpoint) && areChoicesFinished(datas)) ? 'whole' : 'cut'
}

function* eventsIn(plain: Uint8Array): Generator<ParsedEvent> {
  let from = 0
  for (const end of new EventEnds().in(plain)) {
    yield parseEvent(plain.subarray(from, end), from === 0)
    from = end
  }
  yield parseEvent(plain.subarray(from), from === 0)
}

function isCompletion(endpoint: string): boolean {
  return endpoint === 'chat/completions' || endpoint === 'completions'
}

function areChoicesFinished(datas: readonly string[]): boolean {
  if (datas.some(isDone)) return false
  const choices = new OpenChoices()
  for (const data of datas) choices.add(data)
  return choices.areFinished
}

function verdictOnJson(endpoint: string, text: string): Verdict {
  const [first, last] = [text[0], text.at(-1)]
  if (!((first === '{' && last === '}') || (first === '[' && last === ']'))) return 'cut'
  if (text.length > PARSED_CHARS_MAX && !MAY_HAVE_FAILED.test(text)) return 'whole'
  try {
    const value: unknown = JSON.parse(text)
    if (isFailedAnswer(endpoint, value)) return 'failed'
    return endpoint === 'responses' && isJsonObject(value) && isUnderWay(value) ? 'begun' : 'whole'
  } catch {
    return 'cut'
  }
}
