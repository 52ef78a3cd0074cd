import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { type EventPiece, EventSplitter } from '../formats/sse/event-splitter.ts'
import { Slice } from '../timing/slices.ts'
import type { ChunkReader } from './chunk-reader.ts'
import { CommentQueue } from './comment-queue.ts'
import { eventBytes, readEvent } from './event.ts'
import type { EventsToSend, NewEvent, ServerSentEvent } from './extension.ts'

/** Events may hold images; a longer one is no event. */
const EVENT_BYTES_MAX = 16 * 1024 * 1024
/** No event is of more lines; to read one takes as long as it has lines, and in one go. */
const EVENT_LINES_MAX = 100_000
/** A shorter one can't have many more. */
const FEW_LINES_BYTES = 256 * 1024

/** What a stream of events needs of the exchange that it belongs to. */
export interface StreamHooks {
  /** Told what a generator of events has thrown; gives the last bytes to send, if any. */
  readonly onFail: (cause: unknown) => Uint8Array | undefined
  /** The reader has left: whatever the events come from is to end, also where it is being waited for. */
  readonly onCancel: () => void
  /** What stands between the events that it is made of; undefined: that is not known yet. */
  readonly comments: () => CommentQueue | undefined
}

/** The source of events broke off: that is no failure of whoever reads them. */
export class BrokenSource extends Error {
  override readonly name = 'BrokenSource'
}

/** The events of one body; reading ends with it, or when nobody reads on. */
export class EventReader implements AsyncIterableIterator<ServerSentEvent> {
  readonly #reader: ChunkReader | undefined
  readonly #splitter = new EventSplitter(EVENT_BYTES_MAX)
  /** What stands between the events. */
  readonly comments = new CommentQueue()
  #ready: Iterator<EventPiece, void> | undefined
  readonly #slice = new Slice()
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
      const piece = this.#ready?.next().value
      if (piece !== undefined) {
        // A chunk may be of a hundred thousand of them.
        if (this.#slice.isOver()) await this.#slice.rest()
        const event = this.#eventOf(piece)
        if (event !== undefined) return { done: false, value: event }
        await this.comments.put(piece.bytes)
        continue
      }
      if (this.#isDone || this.#reader === undefined) return { done: true, value: undefined }
      await this.#read(this.#reader)
    }
  }

  /** Nobody reads on: the body ends, also where it is being waited for. */
  async return(): Promise<IteratorResult<ServerSentEvent, undefined>> {
    this.#isDone = true
    this.#ready = undefined
    await ignoreRejection(this.#reader?.cancel())
    return { done: true, value: undefined }
  }

  /** undefined: it is none. Throws a `RangeError` for one that is too long, or of too many lines. The last event may lack its blank line. */
  #eventOf({ bytes, isStart, isEnd }: EventPiece): ServerSentEvent | undefined {
    if (!isStart || !(isEnd || this.#isDone)) throw new RangeError('an event of the stream is too long')
    if (hasTooManyLines(bytes)) throw new RangeError('an event of the stream has too many lines')
    const isFirst = this.#isFirst
    this.#isFirst = false
    return readEvent(bytes, isFirst)
  }

  async #read(reader: ChunkReader): Promise<void> {
    const askedAt = performance.now()
    const { done, value } = await reader.read().catch((cause: unknown) => {
      this.#isDone = true
      throw new BrokenSource('the stream of the answer broke off', { cause })
    })
    if (this.#isDone) return
    if (!done) {
      this.#slice.beginBehind(askedAt)
      this.#ready = this.#splitter.split(value)
      return
    }
    this.#isDone = true
    const rest = this.#splitter.end()
    this.#ready = rest === undefined ? undefined : [rest].values()
  }
}

const [LF, CR] = [0x0a, 0x0d]

function hasTooManyLines(bytes: Uint8Array): boolean {
  if (bytes.byteLength <= FEW_LINES_BYTES) return false
  let ends = 0
  for (let at = 0; at < bytes.byteLength; at += 1) if (bytes[at] === LF || bytes[at] === CR) ends += 1
  return ends > EVENT_LINES_MAX
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
  const { onFail, onCancel } = hooks
  let asides: CommentQueue | undefined
  let coming: Promise<IteratorResult<ServerSentEvent | NewEvent>> | undefined
  let isHere = false
  let wake: (() => void) | undefined
  const onHere = (): void => {
    isHere = true
    wake?.()
  }
  const next = async (): Promise<Uint8Array | undefined> => {
    if (coming === undefined) {
      isHere = false
      coming = Promise.resolve(iterator.next())
      // Once for each event: a race for each of a million comments would leave a million reactions with it.
      coming.then(onHere, onHere)
    }
    // A generator may begin to read its source only when it is asked for its first event.
    asides ??= hooks.comments()
    if (asides === undefined) await coming
    else if (!isHere) {
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      void asides.arrived().then(resolve)
      await promise
    }
    asides ??= hooks.comments()
    const aside = asides?.take()
    if (aside !== undefined) return aside
    const { done, value } = await coming
    coming = undefined
    return done === true ? undefined : eventBytes(value)
  }
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const bytes = await next()
          if (bytes !== undefined) return controller.enqueue(bytes)
          controller.close()
        } catch (cause) {
          const finalBytes = onFail(cause)
          if (finalBytes !== undefined) controller.enqueue(finalBytes)
          // Without a reason: Bun prints a stream's error, with its source, to stderr and past the log.
          controller.error(undefined)
          leave(iterator)
        }
        asides?.close()
      },
      cancel() {
        // A generator that waits for its next event ends only when that has come: so what it waits for ends first.
        onCancel()
        void ignoreRejection(coming)
        asides?.close()
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
    void ignoreRejection(Promise.resolve(iterator.return?.()))
  } catch {
    // What a generator throws at its end is of no use to anyone.
  }
}
