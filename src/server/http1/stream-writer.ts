import type { Tap } from '../../answers/tap.ts'
import type { ApiError } from '../../openai/api-error.ts'
import { Slice } from '../../timing/slices.ts'
import { batchesOf, isLong } from './batches.ts'
import { BodyFramer } from './body-framer.ts'
import type { ClientSocket } from './client-socket.ts'
import type { ResponseFraming } from './response-head.ts'
import { RestOfBody } from './rest-of-body.ts'
import { type BodyEnd, StreamSource } from './stream-source.ts'
import type { Transaction, Written } from './transaction.ts'

/** A time that has not come. */
const NEVER = Number.POSITIVE_INFINITY

/**
 * Writes a response whose body is a stream: the head `text` at once, then every chunk as it comes. `tap` sees
 * each chunk, and the end.
 *
 * A client that leaves ends the body, unless it has the whole answer: then the rest of the body is read for a moment. Throws when the
 * body can't be read at all.
 */
export function writeStream(
  response: Response,
  text: string,
  framing: ResponseFraming,
  to: StreamTo,
): Written | Promise<Written> {
  const { tap, socket } = to
  const source = sourceOf(response, tap)
  const out = new BodyFramer(text, framing, Number(response.headers.get('content-length') ?? 0), socket)
  if (framing === 'none') {
    out.flushHead()
    tap.onCancel()
    source.cancel()
    return 'complete'
  }
  return new StreamWriter(source, out, to).written
}

/** Throws when the body can't be read: it has another reader, or it is that of a file that does not exist. */
function sourceOf({ body }: Response, tap: Tap): StreamSource {
  try {
    return new StreamSource(body as ReadableStream<Uint8Array>)
  } catch (cause) {
    tap.onFail(cause)
    throw cause
  }
}

/** The destination of a stream, and its watchers. */
export interface StreamTo {
  readonly transaction: Transaction
  readonly socket: ClientSocket
  readonly tap: Tap
}

/**
 * Passes a body on, from its source to the client: all that is there in one write, and nothing more is taken before the system has
 * that. It goes by callbacks that are made once: an `await` for each chunk would cost more.
 */
class StreamWriter {
  readonly written: Promise<Written>
  readonly #source: StreamSource
  readonly #out: BodyFramer
  readonly #to: StreamTo
  readonly #rest: RestOfBody
  readonly #end: (written: Written) => void
  #slice: Slice | undefined
  /** When the source was last asked for more, in the time of `performance.now()`. */
  #askedAt = NEVER

  constructor(source: StreamSource, out: BodyFramer, to: StreamTo) {
    const { promise, resolve } = Promise.withResolvers<Written>()
    this.written = promise
    this.#end = resolve
    this.#source = source
    this.#out = out
    this.#to = to
    const { tap, transaction, socket } = to
    this.#rest = new RestOfBody(tap, (reason) => {
      this.#leave(reason)
      transaction.leave()
    })
    transaction.onLeave = () => this.#rest.isRead()
    socket.onceClosed(() => {
      if (!this.#rest.isRead()) this.#leave()
    })
    this.#run()
  }

  readonly #run = (): void => {
    try {
      for (let isMore = true; isMore; ) isMore = this.#step()
    } catch (cause) {
      this.#break(cause)
    }
  }

  /** Passes on what is there, or asks for more; returns whether the next step is due now. */
  #step(): boolean {
    const source = this.#source
    const { tap, socket } = this.#to
    if (this.#isLeft()) {
      this.#finish('broken')
      return false
    }
    const chunks = source.take()
    if (chunks.length === 0) {
      if (source.end === undefined) this.#wait()
      else this.#finishWith(source.end)
      return false
    }
    if (isLong(chunks)) {
      void this.#passLong(chunks)
      return false
    }
    if (pass(chunks, tap, this.#out)) return true
    void socket.flushed().then(this.#run)
    return false
  }

  #wait(): void {
    this.#to.tap.onWait()
    this.#askedAt = performance.now()
    this.#source.onceMore(this.#run)
  }

  #finishWith(end: BodyEnd): void {
    if (end.isBroken) this.#break(end.cause)
    else {
      const { tap } = this.#to
      const rest = tap.lastBytes()
      if (rest !== undefined) this.#out.write([rest])
      this.#finish(this.#out.finish(tap.onDone()))
    }
  }

  /** Passes on what takes a while to read through, and lets other work run in between. */
  async #passLong(chunks: readonly Uint8Array[]): Promise<void> {
    const { tap, socket } = this.#to
    this.#slice ??= new Slice()
    this.#slice.beginBehind(this.#askedAt)
    this.#askedAt = NEVER
    try {
      for await (const batch of batchesOf(chunks, this.#slice)) {
        if (this.#isLeft()) break
        if (!pass(batch, tap, this.#out)) await socket.flushed()
      }
      this.#run()
    } catch (cause) {
      this.#break(cause)
    }
  }

  /** Whether the client has left, and the rest of the body is not read either. */
  #isLeft(): boolean {
    return this.#to.socket.isClosed && !this.#rest.isRead()
  }

  #leave(reason?: ApiError): void {
    this.#to.tap.onCancel()
    this.#source.cancel(reason)
  }

  /** The record of the exchange says why the body failed. */
  #break(cause: unknown): void {
    const written = this.#out.finish(this.#to.tap.onFail(cause))
    this.#leave()
    this.#finish(written)
  }

  #finish(written: Written): void {
    this.#rest.stop()
    this.#to.transaction.onLeave = undefined
    this.#to.socket.onceClosed(undefined)
    this.#end(written)
  }
}

/** Passes some chunks on, as the tap shows them; returns whether the system has taken all of them. */
function pass(chunks: readonly Uint8Array[], tap: Tap, out: BodyFramer): boolean {
  let shown: Uint8Array[] | undefined
  let count = 0
  for (const chunk of chunks) {
    const one = tap.onChunk(chunk)
    if (one !== chunk) shown ??= chunks.slice(0, count)
    shown?.push(one)
    count += 1
  }
  return out.write(shown ?? chunks)
}
