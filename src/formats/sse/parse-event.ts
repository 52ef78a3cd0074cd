/** A parsed event. */
export interface ParsedEvent {
  /** Its name; undefined: it has none, which means `message`. */
  readonly event: string | undefined
  readonly id: string | undefined
  /** Its data, the lines of which are joined with LF; undefined: it has no data line, as a comment. */
  readonly data: string | undefined
}

const FROM_BYTES = new TextDecoder('utf-8', { ignoreBOM: true })
/** The end of a line of a stream (WHATWG HTML §9.2.5). */
export const LINE_END = /\r\n|\n|\r/
const BYTE_ORDER_MARK = '\uFEFF'

/**
 * Reads one event of a stream (WHATWG HTML §9.2.6). A byte order mark is skipped at the very start of a stream only, which
 * `isFirst` tells.
 *
 * @example
 * const { event, data } = parseEvent(piece.bytes)
 */
export function parseEvent(bytes: Uint8Array, isFirst = false): ParsedEvent {
  if (isBlank(bytes)) return NOTHING
  let event: string | undefined
  let id: string | undefined
  let data: string | undefined
  const text = FROM_BYTES.decode(bytes)
  for (const line of (isFirst && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text).split(LINE_END)) {
    const colon = line.indexOf(':')
    // A line that begins with a colon is a comment, and a blank one ends the event.
    if (colon === 0 || line === '') continue
    const name = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'data') data = data === undefined ? value : `${data}\n${value}`
    else if (name === 'event') event = value
    else if (name === 'id' && !value.includes('\0')) id = value
  }
  return { event, id, data }
}

const LF = 0x0a
const CR = 0x0d
const NOTHING: ParsedEvent = { event: undefined, id: undefined, data: undefined }

/** Whether an event has only blank lines, of which there may be a million in a row. */
function isBlank(bytes: Uint8Array): boolean {
  let at = 0
  while (bytes[at] === LF || bytes[at] === CR) at += 1
  return at === bytes.byteLength
}
