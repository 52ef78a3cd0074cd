import { type EventPiece, EventSplitter } from '../formats/sse/event-splitter.ts'
import type { ChunkReader } from './chunk-reader.ts'
import { eventBytes, readEvent } from './event.ts'
import type { EventsToSend, ServerSentEvent } from './extension.ts'

/** Events may hold images; a longer one is no event. */
const EVENT_BYTES_MAX = 16 * 1024 * 1024

/** What an event stream needs of the exchange that it belongs to. */
export interface StreamHooks {
  /** Told what a generator of events has thrown; gives the last bytes to send, if any. */
  readonly onFail: (cause: unknown) => Uint8Array | undefined
  /** The reader has left: whatever the events come from is to end, also where it is being waited for. */
  readonly onCancel: () => void
}

/** The source of events broke off: that is no failure of whoever reads them. */
export class BrokenSource extends Error {
  override readonly name = 'BrokenSource'
}

/** The events of one body; reading ends with it, or when nobody reads on. */
export class EventReader implements AsyncIterableIterator<ServerSentEvent> {
  readonly #reader: ChunkReader | undefined
  readonly #splitter = new EventSplitter(EVENT_BYTES_MAX)
  #ready: EventPiece[] = []
  #isFirst = true
  #isDone: boolean

  /** `body` null: no events. */
  constructor(body: ReadableStream<Uint8Array> | null) {
    this.#reader = body?.getReader()
    this.#isDone = body === null
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<ServerSentEvent, undefined>> {
    for (;;) {
      const piece = this.#ready.shift()
      if (piece !== undefined) return { done: false, value: this.#eventOf(piece) }
      if (this.#isDone || this.#reader === undefined) return { done: true, value: undefined }
      await this.#read(this.#reader)
    }
  }

  /** Nobody reads on: the body ends, also where it is being waited for. */
  async return(): Promise<IteratorResult<ServerSentEvent, undefined>> {
    this.#isDone = true
    this.#ready = []
    await this.#reader?.cancel().catch(() => undefined)
    return { done: true, value: undefined }
  }

  /** Throws a `RangeError` for an event that is too long. The last event may lack its blank line. */
  #eventOf({ bytes, isStart, isEnd }: EventPiece): ServerSentEvent {
    if (!isStart || !(isEnd || this.#isDone)) throw new RangeError('an event of the stream is too long')
    const isFirst = this.#isFirst
    this.#isFirst = false
    return readEvent(bytes, isFirst)
  }

  async #read(reader: ChunkReader): Promise<void> {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      this.#isDone = true
      throw new BrokenSource('the stream of the answer broke off', { cause })
    })
    if (this.#isDone) return
    if (!done) {
      this.#ready = this.#splitter.add(value)
      return
    }
    this.#isDone = true
    const rest = this.#splitter.end()
    if (rest !== undefined) this.#ready = [rest]
  }
}

const OWN_HEADERS = [
  ['content-type', 'text/event-stream; charset=utf-8'],
  ['cache-control', 'no-cache'],
  ['x-accel-buffering', 'no'],
] as const

/**
 * Makes a response of events, one at a time and only when it is asked for.
 *
 * @example
 * return streamEvents(events, response, { onFail, onCancel })
 */
export function streamEvents(
  events: EventsToSend,
  init: ResponseInit | Response | undefined,
  hooks: StreamHooks,
): Response {
  const iterator = Symbol.asyncIterator in events ? events[Symbol.asyncIterator]() : events[Symbol.iterator]()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await iterator.next()
          if (done === true) controller.close()
          else controller.enqueue(eventBytes(value))
        } catch (cause) {
          const farewell = hooks.onFail(cause)
          if (farewell !== undefined) controller.enqueue(farewell)
          // Without a reason: Bun prints a stream's error, with its source, to stderr and past the log.
          controller.error(undefined)
          leave(iterator)
        }
      },
      cancel() {
        // A generator that waits for its next event ends only when that has come: so what it waits for ends first.
        hooks.onCancel()
        leave(iterator)
      },
    },
    { highWaterMark: 0 },
  )
  const response = new Response(body, init)
  // The length is that of other bytes.
  response.headers.delete('content-length')
  const isOfEvents = response.headers.get('content-type')?.startsWith('text/event-stream') === true
  if (!isOfEvents) for (const [name, value] of OWN_HEADERS) response.headers.set(name, value)
  return response
}

function leave(iterator: Iterator<unknown> | AsyncIterator<unknown>): void {
  try {
    Promise.resolve(iterator.return?.()).catch(() => undefined)
  } catch {
    // What a generator throws at its end is of no use to anyone.
  }
}
