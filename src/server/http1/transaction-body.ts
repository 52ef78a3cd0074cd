import type { IncomingBody } from '../../exchange/arrival.ts'
import type { Deadline } from '../../timing/deadlines.ts'

/** The body of a request on a connection: the connection feeds it, and the server's code reads it. */
export interface TransactionBody extends IncomingBody {
  /** Whether it has a reader that has begun and not ended. */
  readonly isBeingRead: boolean
  /** Takes bytes of the connection, and returns those behind the body, if any. Throws `malformed_request`. */
  feed(bytes: Buffer): Buffer | undefined
  /** To be called after each feed: hands the bytes to the reader, or pauses the client where nobody reads. */
  settle(): void
  /** Tells the reader that the body will never be complete. */
  fail(cause: unknown): void
  /** Drops the rest, which is not wanted. */
  drop(): void
  /** Calls back when no more of it will come. */
  onceOver(callback: () => void): void
}

/** The connection that a body comes by. */
export interface BodySource {
  pause(): void
  resume(): void
  /** Called once, before the reader waits for the first time: the client may be waiting for `100 Continue` (RFC 9110 §10.1.1). */
  onFirstWait(): void
  /** Starts the clock that limits the pause between two reads of a body that is waited for. */
  startUploadClock(onExpire: () => void): Deadline
}

const NOTHING = new Uint8Array()

/** A body that has come together with its head, as most do. */
export class WholeBody implements TransactionBody {
  /** The body of a request without one. */
  static readonly NONE = new WholeBody(Buffer.alloc(0))
  readonly isComplete = true
  readonly isBeingRead = false
  readonly length: number
  #bytes: Uint8Array<ArrayBuffer> | undefined

  constructor(bytes: Buffer) {
    this.length = bytes.byteLength
    this.#bytes = bytes as Uint8Array<ArrayBuffer>
  }

  /** Gives its bytes away: the answer may be a stream of minutes, and nobody looks at the body meanwhile. */
  whole(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes ?? NOTHING
    this.#bytes = undefined
    return bytes
  }

  peek(): Uint8Array<ArrayBuffer> | undefined {
    return this.#bytes
  }

  stream(): ReadableStream<Uint8Array> {
    return new Blob([this.whole()]).stream()
  }

  feed(bytes: Buffer): Buffer {
    return bytes
  }

  settle(): void {}

  fail(): void {}

  drop(): void {}

  onceOver(callback: () => void): void {
    callback()
  }
}
