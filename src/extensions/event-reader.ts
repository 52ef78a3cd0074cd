import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { type EventPiece, EventSplitter } from '../formats/sse/event-splitter.ts'
import { Slice } from '../timing/slices.ts'
import { CommentQueue } from './comment-queue.ts'
import { readEvent } from './event.ts'
import type { ServerSentEvent } from './extension.ts'
import type { ChunkReader } from './read-stream.ts'

/** The length of the longest event. It is that long because an event may hold images. */
const EVENT_BYTES_MAX = 16 * 1024 * 1024
/** The lines of the longest event: reading one takes time for each line, without a pause. */
const EVENT_LINES_MAX = 100_000
/** A shorter event can't have many more lines than that. */
const FEW_LINES_BYTES = 256 * 1024
const [LF, CR] = [0x0a, 0x0d]

/** The stream that events are read from broke off. Its reader is not to blame. */
export class BrokenSource extends Error {
  override readonly name = 'BrokenSource'
}

/** Reads the events of one body, until the body ends or the reader leaves its loop. */
export class EventReader implements AsyncIterableIterator<ServerSentEvent> {
  readonly #reader: ChunkReader | undefined
  readonly #splitter = new EventSplitter(EVENT_BYTES_MAX)
  /** The parts between the events. */
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
        // One chunk may hold a hundred thousand events.
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

  /** Ends the body, also while a chunk of it is awaited. */
  async return(): Promise<IteratorResult<ServerSentEvent, undefined>> {
    this.#isDone = true
    this.#ready = undefined
    await ignoreRejection(this.#reader?.cancel())
    return { done: true, value: undefined }
  }

  /**
   * Reads a piece of the stream as an event; undefined: it is none. Throws a `RangeError` for an event that is too long or has too many
   * lines. Only the last event may lack its blank line.
   */
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

function hasTooManyLines(bytes: Uint8Array): boolean {
  if (bytes.byteLength <= FEW_LINES_BYTES) return false
  let ends = 0
  for (let at = 0; at < bytes.byteLength; at += 1) if (bytes[at] === LF || bytes[at] === CR) ends += 1
  return ends > EVENT_LINES_MAX
}
