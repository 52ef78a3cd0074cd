import { toSearchText } from '../formats/bytes/byte-string.ts'
import { isEventStream, isJsonType, isVagueType } from '../formats/http/media-types.ts'
import { isJsonObject, type JsonObject } from '../formats/json/json.ts'
import { endsEvent } from '../formats/sse/event-boundary.ts'
import { eventEndsOf } from '../formats/sse/event-ends.ts'
import { parseEvent } from '../formats/sse/parse-event.ts'
import { meaningOf } from '../openai/answer-events.ts'
import { isFailedAnswer } from '../openai/failed-answer.ts'

/** The units of an answer that may report a failure: each event of a stream, each line, or the whole. */
export type UnitKind = 'events' | 'lines' | 'whole'

const LINES = /^application\/(?:x-ndjson|ndjson|jsonl|x-jsonlines|json-seq)/i
/** An endpoint whose answers fail in all the ways that there are. */
const ANY_ENDPOINT = 'responses'
const EVENT_END = /\r\n\r\n|\n\r?\n|\r\r/g
const LINE_END = /\n/g
const DECODER = new TextDecoder()

/**
 * Gives the kind of a good answer's units, by its type; undefined: it holds no errors.
 *
 * @example
 * const kind = unitKindOf(answer.headers.get('content-type'))
 */
export function unitKindOf(type: string | null): UnitKind | undefined {
  if (isEventStream(type)) return 'events'
  if (type !== null && LINES.test(type)) return 'lines'
  // A failing server may omit the type of its answer, or of the answer that it would have sent.
  return isJsonType(type) || isVagueType(type) ? 'whole' : undefined
}

/** Gives the ends of complete units. The bytes may begin anywhere in a stream, so that `EventEnds` would not do. */
export function unitEnds(bytes: Uint8Array, kind: UnitKind): readonly number[] {
  if (kind === 'whole') return []
  const ends = toSearchText(bytes).matchAll(kind === 'events' ? EVENT_END : LINE_END)
  return Array.from(ends, ({ index, 0: end }) => index + end.length)
}

/** Whether a unit ends with the last of some bytes, as far as these tell. */
export function endsUnit(bytes: Uint8Array, kind: UnitKind): boolean {
  if (kind === 'whole' || bytes.byteLength === 0) return false
  return kind === 'lines' ? bytes.at(-1) === LF : endsEvent(bytes)
}

const LF = 0x0a

/** Whether a unit reports a failure: in JSON, or in events even if the type did not announce them. */
export function isErrorUnit(bytes: Uint8Array, kind: UnitKind): boolean {
  const text = DECODER.decode(bytes).trimStart()
  if (text.startsWith('{')) return isErrorText(text)
  if (kind === 'lines') return false
  let from = 0
  return eventEndsOf(bytes).some((end) => {
    const event = parseEvent(bytes.subarray(from, end), true)
    from = end
    return meaningOf(ANY_ENDPOINT, event) === 'failure' || isErrorText(event.data ?? '')
  })
}

function isErrorText(text: string): boolean {
  // An event may come without a stream around it, as in a WebSocket's message.
  if (meaningOf(ANY_ENDPOINT, { data: text }) === 'failure') return true
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) && (isFailedAnswer(ANY_ENDPOINT, value) || isRefusal(value))
  } catch {
    return false
  }
}

/** Whether a value is a refusal in a gateway's or framework's own words, whatever the status: it gives a reason, and no answer. */
function isRefusal(value: JsonObject): boolean {
  if (value['success'] === false || value['ok'] === false) return true
  const { id, object, choices, output, data, content } = value
  if ([id, object, choices, output, data, content].some((member) => member !== undefined)) return false
  const { detail, errors, message, msg } = value
  return [detail, errors, message, msg].some((member) => member !== undefined && member !== null)
}
