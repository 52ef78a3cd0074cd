import { joinBytes } from '../bytes/join-bytes.ts'
import { EventSplitter } from '../formats/sse/event-splitter.ts'
import { applyEdits, type Edit, replaceValue } from '../json/edit.ts'
import { isJsonObject, type JsonObject } from '../json/json.ts'
import { type Member, membersOf } from '../json/members.ts'

const LF = 0x0a
const CR = 0x0d
const TAB = 0x09
const SPACE = 0x20
const OPEN_BRACE = 0x7b
const QUOTE = 0x22

const UTF_8 = new TextDecoder('utf-8', { fatal: true })
const DATA = new TextEncoder().encode('data:')

/** An event of more bytes goes on unchanged, so that memory stays bounded. */
const EVENT_BYTES_MAX = 1024 * 1024

/** Puts one name into answers. */
export interface ModelReporter {
  /** For a JSON answer that is there as a whole; anything else comes back as it is. */
  readonly whole: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>
  /** For server-sent events: each goes on as soon as it is complete. */
  readonly stream: (source: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>
}

/**
 * Puts the name that the caller used into an answer as its `model` (also `response.model`), in place of the upstream's.
 *
 * Only the text of these members changes, where it is a string; every other byte stays as it came. Of a stream, an event
 * whose data is more than one line, no JSON object, or more than 1 MiB goes on unchanged.
 *
 * @example
 * const body = reportModel('smart').stream(answer.body)
 */
export function reportModel(name: string): ModelReporter {
  const text = JSON.stringify(name)
  return {
    whole: (bytes) => {
      const edits = editsOf(bytes, text)
      return edits.length === 0 ? bytes : applyEdits(bytes, edits)
    },
    stream: (source) => rewriteEvents(source, (event) => rewriteEvent(event, text)),
  }
}

/** Where the name belongs in the text of a JSON object; nowhere in anything else. */
function editsOf(bytes: Uint8Array<ArrayBuffer>, text: string): Edit[] {
  const value = parseObject(bytes)
  // Most events of some streams name no model: their members need not be looked at.
  if (value === undefined || !('model' in value || isJsonObject(value['response']))) return []
  const named = membersOf(bytes).flatMap((member) =>
    member.key === 'response' ? membersOf(bytes, member.valueStart) : [member],
  )
  const isName = ({ key, valueStart }: Member): boolean => key === 'model' && bytes[valueStart] === QUOTE
  return named.filter(isName).map((member) => replaceValue(member, text))
}

function parseObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(UTF_8.decode(bytes))
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** One event, with the blank line at its end. */
function rewriteEvent(event: Uint8Array<ArrayBuffer>, text: string): Uint8Array<ArrayBuffer> {
  const data = dataOf(event)
  if (data === undefined || !beginsObject(event, data.start)) return event
  const edits = editsOf(event.subarray(data.start, data.end), text)
  if (edits.length === 0) return event
  return applyEdits(
    event,
    edits.map((edit) => ({ ...edit, start: edit.start + data.start, end: edit.end + data.start })),
  )
}

/** Whether the first byte that is no space opens an object: what can't be JSON, such as `[DONE]`, is not tried. */
function beginsObject(event: Uint8Array, from: number): boolean {
  let at = from
  while (event[at] === SPACE || event[at] === TAB) at += 1
  return event[at] === OPEN_BRACE
}

/** Where the data of an event lies, where all of it is on one line (WHATWG HTML §9.2.6). */
function dataOf(event: Uint8Array): { readonly start: number; readonly end: number } | undefined {
  let found: { readonly start: number; readonly end: number } | undefined
  let at = 0
  while (at < event.byteLength) {
    const end = endOfLine(event, at)
    if (isData(event, at, end)) {
      if (found !== undefined) return undefined
      const start = Math.min(at + DATA.byteLength, end)
      found = { start: event[start] === SPACE ? start + 1 : start, end }
    }
    at = end + 1
  }
  return found
}

function endOfLine(event: Uint8Array, from: number): number {
  const lf = event.indexOf(LF, from)
  const end = lf === -1 ? event.byteLength : lf
  const cr = event.subarray(from, end).indexOf(CR)
  return cr === -1 ? end : from + cr
}

/** Whether a line is a `data` field; one without a colon is an empty one. */
function isData(event: Uint8Array, start: number, end: number): boolean {
  const length = Math.min(DATA.byteLength, end - start)
  if (length < DATA.byteLength - 1) return false
  return DATA.every((byte, index) => index >= length || event[start + index] === byte)
}

function rewriteEvents(
  source: ReadableStream<Uint8Array>,
  rewrite: (event: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  const splitter = new EventSplitter(EVENT_BYTES_MAX)
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const { done, value } = await reader.read()
          if (done) {
            const rest = splitter.end()
            if (rest !== undefined) controller.enqueue(rest.bytes)
            return controller.close()
          }
          const pieces = splitter.add(value)
          if (pieces.length === 0) continue
          const ready = pieces.map(({ bytes, isStart, isEnd }) => {
            const isRewritten = isStart && isEnd && bytes.byteLength <= EVENT_BYTES_MAX
            return isRewritten ? rewrite(bytes) : bytes
          })
          const [first] = ready
          return controller.enqueue(first !== undefined && ready.length === 1 ? first : joinBytes(ready))
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}
