import { isJsonObject } from '../../formats/json/json.ts'
import { parseInSteps } from '../../formats/json/parse-in-steps.ts'
import { isFailedAnswer, isUnderWay } from '../../openai/failed-answer.ts'

/**
 * The verdict on an ended body, by its decoded content: all of an answer, an answer that its upstream still works on (`begun`), the report
 * of a failure, or an answer that was cut. `unreadable`: it can't be told.
 */
export type Completeness = 'whole' | 'begun' | 'failed' | 'cut' | 'unreadable'

/** A larger text is parsed only if it may report a failure. */
const PARSED_BYTES_MAX = 256 * 1024
/** Every JSON that reports a failure holds one of these words, or an escape that may hide it. */
const MAY_HAVE_FAILED = /error|failed|cancelled|queued|in_progress|\\u00/
/** How much white space around a JSON text is skipped. */
const AROUND_BYTES_MAX = 64 * 1024
const SPACE = 0x20
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const BOM_BYTES = 3

/** Judges an answer that is JSON, with rests where it is long. */
export function* judgeJson(endpoint: string, plain: Uint8Array): Generator<void, Completeness, void> {
  const [start, end] = boundsOf(plain)
  const [first, last] = [plain[start], plain[end - 1]]
  const isClosed = (first === OPEN_BRACE && last === CLOSE_BRACE) || (first === OPEN_BRACKET && last === CLOSE_BRACKET)
  if (!isClosed) return 'cut'
  const text = plain.subarray(start, end)
  if (text.byteLength > PARSED_BYTES_MAX && !(yield* mayHold(text, MAY_HAVE_FAILED))) return 'whole'
  const parsed = yield* parseInSteps(text)
  if (parsed.kind !== 'value') return parsed.kind === 'no_json' ? 'cut' : 'unreadable'
  const { value } = parsed
  if (isFailedAnswer(endpoint, value)) return 'failed'
  return endpoint === 'responses' && isJsonObject(value) && isUnderWay(value) ? 'begun' : 'whole'
}

function boundsOf(plain: Uint8Array): readonly [start: number, end: number] {
  let start = plain[0] === 0xef && plain[1] === 0xbb && plain[2] === 0xbf ? BOM_BYTES : 0
  let end = plain.byteLength
  const [startMax, endMin] = [start + AROUND_BYTES_MAX, end - AROUND_BYTES_MAX]
  while (start < startMax && start < end && (plain[start] ?? 0) <= SPACE) start += 1
  while (end > endMin && end > start && (plain[end - 1] ?? 0) <= SPACE) end -= 1
  return [start, end]
}

/** One character for each byte: the patterns are ASCII. */
const BYTES = new TextDecoder('latin1')
const WINDOW_BYTES = 128 * 1024
/** No word of a pattern is longer. */
const OVERLAP_BYTES = 16

/** Whether a pattern of a few characters of ASCII fits anywhere in some bytes. */
export function* mayHold(bytes: Uint8Array, pattern: RegExp): Generator<void, boolean, void> {
  for (let from = 0; from < bytes.byteLength; from += WINDOW_BYTES - OVERLAP_BYTES) {
    if (from > 0) yield
    if (pattern.test(BYTES.decode(bytes.subarray(from, from + WINDOW_BYTES)))) return true
  }
  return false
}
