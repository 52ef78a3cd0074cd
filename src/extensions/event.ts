import type { Json } from '../formats/json/json.ts'
import { LINE_END, parseEvent } from '../formats/sse/parse-event.ts'
import { writeEvent } from '../formats/sse/write-event.ts'
import type { NewEvent, ServerSentEvent } from './extension.ts'

const FROM_BYTES = new TextDecoder()

/** A received event, with its bytes. */
class ReceivedEvent implements ServerSentEvent {
  // Declared, not defined: an event without a name has no such member at all.
  declare readonly event?: string
  declare readonly id?: string
  readonly data: string
  readonly raw: Uint8Array
  #json: { readonly value: Json | undefined } | undefined

  constructor(raw: Uint8Array, event: string | undefined, id: string | undefined, data: string) {
    // Own members, so that `{ ...event, data }` copies them into a new event.
    if (event !== undefined) this.event = event
    if (id !== undefined) this.id = id
    this.data = data
    this.raw = raw
  }

  get json(): Json | undefined {
    this.#json ??= { value: parse(this.data) }
    return this.#json.value
  }
}

/**
 * Reads one event of a stream; undefined: without data it is no event, such as a comment or a `retry` (WHATWG HTML §9.2.6). `isFirst`:
 * whether it is the very first of its stream.
 *
 * @example
 * const event = readEvent(raw)
 */
export function readEvent(raw: Uint8Array, isFirst = false): ServerSentEvent | undefined {
  const { event, id, data } = parseEvent(raw, isFirst)
  return data === undefined ? undefined : new ReceivedEvent(raw, event, id, data)
}

/**
 * The bytes of an event: those that came, or those that a new event is written as. A new event made of a received one keeps the comments in
 * it. Throws a `TypeError` for a name or id of more than one line, and for an event without both `data` and `json`.
 *
 * @example
 * controller.enqueue(eventBytes({ json: { hello: 'world' } }))
 */
export function eventBytes(event: ServerSentEvent | NewEvent): Uint8Array {
  if (event instanceof ReceivedEvent) return event.raw
  const { event: name, id, data, json } = event
  const text = json === undefined ? data : JSON.stringify(json)
  if (typeof text !== 'string') throw new TypeError('an event needs data or json')
  for (const [field, value] of Object.entries({ event: name, id })) {
    if (value !== undefined && LINE_END.test(value)) throw new TypeError(`the ${field} of an event is one line`)
  }
  return writeEvent({ event: name, id, data: text }, commentsOf(event))
}

/** The lines of a received event that its members do not hold: comments and `retry`. */
function commentsOf(event: object): string {
  if (!('raw' in event && event.raw instanceof Uint8Array)) return ''
  const lines = FROM_BYTES.decode(event.raw).split(LINE_END).filter(isComment)
  return lines.map((line) => `${line}\n`).join('')
}

function isComment(line: string): boolean {
  return line.startsWith(':') || line.startsWith('retry:')
}

function parse(data: string): Json | undefined {
  // Neither an empty text nor the end mark of a stream is JSON.
  if (data === '' || data === '[DONE]') return undefined
  try {
    return JSON.parse(data) as Json
  } catch {
    return undefined
  }
}
