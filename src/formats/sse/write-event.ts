import { LINE_END } from './parse-event.ts'

/** The fields of an event to write. */
export interface EventFields {
  /** Its name, one line; absent: none. */
  readonly event?: string | undefined
  /** Its id, one line; absent: none. */
  readonly id?: string | undefined
  /** Its data; each line becomes a data line of the event. */
  readonly data: string
}

const TO_BYTES = new TextEncoder()

/**
 * Writes an event, with the blank line at its end. `comments` are whole lines that stand in front, with their ends. The name and the
 * id have to be one line.
 *
 * @example
 * controller.enqueue(writeEvent({ data: JSON.stringify(error) }))
 */
export function writeEvent({ event, id, data }: EventFields, comments = ''): Uint8Array<ArrayBuffer> {
  let lines = comments
  if (event !== undefined) lines += `event: ${event}\n`
  if (id !== undefined) lines += `id: ${id}\n`
  for (const line of data.split(LINE_END)) lines += `data: ${line}\n`
  return TO_BYTES.encode(`${lines}\n`)
}
