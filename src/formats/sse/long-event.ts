import { StringScanner } from '../json/string-scanner.ts'
import { EventEnds } from './event-ends.ts'
import { parseEvent } from './parse-event.ts'
import { writeEvent } from './write-event.ts'

/** The bytes that hold an event's name, which stands in front of its data. */
const HEAD_BYTES = 256
const TYPE_CHARS_MAX = 256

/**
 * Reads an event that is too long to be held: of its JSON it finds only the `type`, wherever that stands.
 *
 * @example
 * const long = new LongEvent(beginning)
 * while (long.add(chunk) === undefined) chunk = await next()
 * const short = long.summary()
 */
export class LongEvent {
  readonly #ends = new EventEnds()
  readonly #scanner: StringScanner
  readonly #name: string | undefined
  #type: string | undefined

  /** `beginning`: the bytes of the event so far. */
  constructor(beginning: Uint8Array) {
    this.#name = parseEvent(beginning.subarray(0, HEAD_BYTES)).event
    this.#scanner = new StringScanner({
      stringBytesMax: TYPE_CHARS_MAX,
      depthMax: 1,
      isWanted: (name) => name === 'type',
      isSkipped: () => true,
      onString: (name, text) => {
        if (name === 'type') this.#type = text
      },
      onEnd: () => undefined,
    })
    this.add(beginning)
  }

  /** Takes the next chunk, and gives the bytes behind the event; undefined: it goes on. */
  add(chunk: Uint8Array): Uint8Array | undefined {
    const [end] = this.#ends.in(chunk)
    this.#scanner.add(end === undefined ? chunk : chunk.subarray(0, end))
    return end === undefined ? undefined : chunk.subarray(end)
  }

  /** Gives a short event of the same name and type. */
  summary(): Uint8Array {
    return writeEvent({ event: this.#name, data: JSON.stringify({ type: this.#type }) })
  }
}
