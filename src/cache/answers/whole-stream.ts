import { isJsonObject, type JsonObject } from '../../formats/json/json.ts'
import { parseInSteps } from '../../formats/json/parse-in-steps.ts'
import { DataRanges } from '../../formats/sse/data-ranges.ts'
import { eventEndsOf } from '../../formats/sse/event-ends.ts'
import { parseEvent } from '../../formats/sse/parse-event.ts'
import {
  ENDPOINTS_WITH_LAST_EVENT,
  type EventMeaning,
  isDone,
  meaningOf,
  meaningOfValue,
  OpenChoices,
  TELLING,
} from '../../openai/answer-events.ts'
import { type Completeness, mayHold } from './whole-json.ts'

/** An event of more bytes is read with rests. */
const LONG_BYTES = 32 * 1024
/** Shorter ones have no data. */
const EVENT_BYTES_MIN = 5
/** About a millisecond's work: an event costs as much as so many bytes. */
const STEP_BYTES = 64 * 1024
const EVENT_COST_BYTES = 128
/** The name of an event, which stands in front of its data. */
const HEAD_BYTES = 256
const LF = new Uint8Array([0x0a])

/** One event with data. */
interface ReadEvent {
  readonly event: string | undefined
  /** undefined: it is long, and `value` is what is known of it. */
  readonly data: string | undefined
  readonly value: JsonObject | undefined
}

/** Judges an answer that is a stream of events and has come to its end, with rests where it is long. */
export function* judgeStream(endpoint: string, plain: Uint8Array): Generator<void, Completeness, void> {
  const hasLastEvent = ENDPOINTS_WITH_LAST_EVENT.has(endpoint)
  let [isOver, hasFailed, hasDone] = [!hasLastEvent, false, false]
  yield* readEvents(plain, (event) => {
    const isEnd = isDone(event.data)
    hasDone ||= isEnd
    const meaning = meaningIn(endpoint, event)
    hasFailed = meaning === 'failure'
    // Some send it behind another protocol's last event.
    if (meaning === 'last') isOver = true
    else if (hasLastEvent && !isEnd) isOver = false
    return hasFailed
  })
  if (hasFailed) return 'failed'
  if (isOver) return 'whole'
  if (hasDone || (endpoint !== 'chat/completions' && endpoint !== 'completions')) return 'cut'
  const choices = new OpenChoices()
  yield* readEvents(plain, ({ data, value }) => {
    if (data === undefined) choices.addValue(value)
    else choices.add(data)
    return false
  })
  return choices.areFinished ? 'whole' : 'cut'
}

function meaningIn(endpoint: string, { event, data, value }: ReadEvent): EventMeaning {
  return data === undefined ? meaningOfValue(event, value) : meaningOf(endpoint, { event, data })
}

/** Reads the events with data one after the other, also one without its blank line at the end, until somebody has read enough. */
function* readEvents(plain: Uint8Array, onEvent: (event: ReadEvent) => boolean): Generator<void, void, void> {
  let from = 0
  let cost = 0
  for (const end of eventEndsOf(plain)) {
    const bytes = plain.subarray(from, end)
    const isFirst = from === 0
    from = end
    cost += EVENT_COST_BYTES + bytes.byteLength
    if (cost > STEP_BYTES) {
      cost = 0
      yield
    }
    if (bytes.byteLength < EVENT_BYTES_MIN) continue
    if (bytes.byteLength > LONG_BYTES) {
      if (onEvent(yield* readLong(bytes, isFirst))) return
      continue
    }
    const { event, data } = parseEvent(bytes, isFirst)
    if (data !== undefined && onEvent({ event, data, value: undefined })) return
  }
}

/** Of a long event only what an object says is known, and that only where it may tell something. */
function* readLong(bytes: Uint8Array, isFirst: boolean): Generator<void, ReadEvent, void> {
  const { event } = parseEvent(bytes.subarray(0, HEAD_BYTES), isFirst)
  const data = yield* dataOf(bytes, isFirst)
  const isTelling = yield* mayHold(data, TELLING)
  const parsed = isTelling ? yield* parseInSteps(data) : undefined
  const value = parsed?.kind === 'value' && isJsonObject(parsed.value) ? parsed.value : undefined
  return { event, data: undefined, value }
}

/** The data of an event, its lines joined. */
function* dataOf(bytes: Uint8Array, isFirst: boolean): Generator<void, Uint8Array, void> {
  const ranges = new DataRanges()
  const data = new Uint8Array(bytes.byteLength)
  let length = 0
  // A byte order mark is skipped at the very start of a stream only.
  if (!isFirst) ranges.add(LF, () => undefined)
  for (let from = 0; from < bytes.byteLength; from += LONG_BYTES) {
    const part = bytes.subarray(from, from + LONG_BYTES)
    ranges.add(part, (start, end, isLineEnd) => {
      data.set(part.subarray(start, end), length)
      length += end - start
      if (!isLineEnd) return
      data.set(LF, length)
      length += 1
    })
    yield
  }
  return data.subarray(0, length)
}
