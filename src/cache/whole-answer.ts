import { joinBytes } from '../bytes/join-bytes.ts'
import { isJsonType } from '../json/json-type.ts'
import type { TimedChunk } from './cached-answer.ts'

/** As much of a stream's end as its last event is looked for in; the last event of a response holds all of it. */
const LAST_EVENT_BYTES_MAX = 1024 * 1024

/** How a stream of each kind ends when nothing went wrong. */
const LAST_EVENT: ReadonlyMap<string, RegExp> = new Map([
  ['chat/completions', /^data: ?\[DONE\]$/],
  ['completions', /^data: ?\[DONE\]$/],
  [
    'responses',
    /^event: ?response\.(?:completed|incomplete)$|^data: ?\{.*"type": ?"response\.(?:completed|incomplete)"/,
  ],
])
const FAILURE =
  /(?:^|[\r\n])(?:event: ?error[\r\n]|data: ?\{"error": ?(?!null)|data: ?\{"type": ?"(?:error|response\.failed)")/

/** How a body in JSON begins that is the report of a failure. */
const FAILURE_JSON = /^\s*\{\s*"error"\s*:\s*(?!null)/
const FAILED_RESPONSE = /"status"\s*:\s*"(?:failed|cancelled|queued|in_progress)"/
/** The status of a response stands among its first members. */
const BEGIN_BYTES = 512

const UTF_8 = new TextDecoder()

/**
 * Whether a body that has ended properly is an answer to keep: an upstream that fails in the midst of a stream says so in an
 * event, or just ends it, and some end a JSON body that way, too.
 *
 * Of a body in a `Content-Encoding` nothing can be said, and it counts as whole.
 *
 * @example
 * const isKept = isWholeAnswer('chat/completions', answer.headers, chunks)
 */
export function isWholeAnswer(endpoint: string, headers: Headers, chunks: readonly TimedChunk[]): boolean {
  if ((headers.get('content-encoding') ?? 'identity') !== 'identity') return true
  const type = headers.get('content-type')?.toLowerCase() ?? ''
  if (type.startsWith('text/event-stream')) return isWholeStream(LAST_EVENT.get(endpoint), chunks)
  return !isJsonType(type) || isWholeJson(endpoint, chunks)
}

function isWholeStream(lastEvent: RegExp | undefined, chunks: readonly TimedChunk[]): boolean {
  const text = UTF_8.decode(joinBytes(chunks.map(({ bytes }) => bytes)))
  if (FAILURE.test(text)) return false
  if (lastEvent === undefined) return true
  const lines = text
    .slice(-LAST_EVENT_BYTES_MAX)
    .trimEnd()
    .split(/\r\n|\r|\n/)
  const begin = lines.lastIndexOf('') + 1
  return lines.slice(begin).some((line) => lastEvent.test(line))
}

/** Enough to see a body that was cut: a parser would take as long as the answer. */
function isWholeJson(endpoint: string, chunks: readonly TimedChunk[]): boolean {
  const [first, last] = [chunks[0], chunks.at(-1)]
  if (first === undefined || last === undefined) return false
  const begin = UTF_8.decode(first.bytes.subarray(0, BEGIN_BYTES))
  const end = UTF_8.decode(last.bytes.subarray(-BEGIN_BYTES)).trimEnd()
  if (FAILURE_JSON.test(begin) || (endpoint === 'responses' && FAILED_RESPONSE.test(begin))) return false
  return begin.trimStart().startsWith('[') ? end.endsWith(']') : begin.trimStart().startsWith('{') && end.endsWith('}')
}
