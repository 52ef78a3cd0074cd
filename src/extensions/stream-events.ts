import { isEventStream } from '../formats/http/media-types.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import type { CommentQueue } from './comment-queue.ts'
import { eventBytes } from './event.ts'
import type { EventsToSend, NewEvent, ServerSentEvent } from './extension.ts'

/** How a stream of events is tied to its exchange. */
export interface StreamHooks {
  /** Gets the error that the generator of the events has thrown. Returns the last bytes to send, if any. */
  readonly onFail: (cause: unknown) => Uint8Array | undefined
  /** The client has left: the source of the events must end, also while a chunk of it is awaited. */
  readonly onCancel: () => void
  /** Finds the comments that belong between the events; undefined: it is not known yet which. */
  readonly comments: () => CommentQueue | undefined
}

const OWN_HEADERS = [
  ['content-type', 'text/event-stream; charset=utf-8'],
  ['cache-control', 'no-cache'],
  ['x-accel-buffering', 'no'],
] as const

/**
 * Makes a response of events. It takes an event only when its reader asks for one.
 *
 * @example
 * return streamEvents(events, response, { onFail, onCancel, comments })
 */
export function streamEvents(
  events: EventsToSend,
  init: ResponseInit | Response | undefined,
  hooks: StreamHooks,
): Response {
  const body = new ReadableStream<Uint8Array>(new EventStream(events, hooks), { highWaterMark: 0 })
  const response = new Response(body, init)
  // The length is that of other bytes.
  response.headers.delete('content-length')
  if (!isEventStream(response.headers.get('content-type')))
    for (const [name, value] of OWN_HEADERS) response.headers.set(name, value)
  return response
}

/** The source of a stream that writes events, and the comments between them. */
class EventStream {
  readonly #events: Iterator<ServerSentEvent | NewEvent> | AsyncIterator<ServerSentEvent | NewEvent>
  readonly #hooks: StreamHooks
  #comments: CommentQueue | undefined
  /** The next event, once it has been asked for. */
  #coming: Promise<IteratorResult<ServerSentEvent | NewEvent>> | undefined
  /** Whether the next event is there. */
  #isHere = false
  #wake: (() => void) | undefined

  constructor(events: EventsToSend, hooks: StreamHooks) {
    this.#events = Symbol.asyncIterator in events ? events[Symbol.asyncIterator]() : events[Symbol.iterator]()
    this.#hooks = hooks
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const bytes = await this.#next()
      if (bytes !== undefined) return controller.enqueue(bytes)
      controller.close()
    } catch (cause) {
      const finalBytes = this.#hooks.onFail(cause)
      if (finalBytes !== undefined) controller.enqueue(finalBytes)
      // Without a reason: Bun prints a stream's error, with its source, to stderr and past the log.
      controller.error(undefined)
      leave(this.#events)
    }
    this.#comments?.close()
  }

  cancel(): void {
    // A generator that awaits its next event ends only when that has come, so the source of that event ends first.
    this.#hooks.onCancel()
    void ignoreRejection(this.#coming)
    this.#comments?.close()
    leave(this.#events)
  }

  /** The bytes of the next comment or event; undefined: the events have ended. */
  async #next(): Promise<Uint8Array | undefined> {
    const coming = this.#coming ?? this.#askForEvent()
    // A generator may open its source only when it is asked for its first event.
    this.#comments ??= this.#hooks.comments()
    if (this.#comments === undefined) await coming
    else if (!this.#isHere) await this.#eventOrComment(this.#comments)
    this.#comments ??= this.#hooks.comments()
    const comment = this.#comments?.take()
    if (comment !== undefined) return comment
    const { done, value } = await coming
    this.#coming = undefined
    return done === true ? undefined : eventBytes(value)
  }

  #askForEvent(): Promise<IteratorResult<ServerSentEvent | NewEvent>> {
    this.#isHere = false
    this.#coming = Promise.resolve(this.#events.next())
    // Once for each event: a race for each of a million comments would leave a million reactions on this promise.
    this.#coming.then(this.#onHere, this.#onHere)
    return this.#coming
  }

  readonly #onHere = (): void => {
    this.#isHere = true
    this.#wake?.()
  }

  async #eventOrComment(comments: CommentQueue): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    void comments.arrived().then(resolve)
    await promise
  }
}

function leave(iterator: Iterator<unknown> | AsyncIterator<unknown>): void {
  try {
    void ignoreRejection(Promise.resolve(iterator.return?.()))
  } catch {
    // An error that a generator throws at its end has no reader any more.
  }
}
