import { ApiError } from '../../openai/api-error.ts'
import type { Deadline } from '../../timing/deadlines.ts'
import { type ChunkedBody, createChunkedBody } from './chunked-body.ts'
import { CHUNKED } from './request-head.ts'

/** The connection that a body comes by. */
export interface BodySource {
  pause(): void
  resume(): void
  /** Called once, before anything is waited for: the client may be waiting for `100 Continue` (RFC 9110 §10.1.1). */
  onFirstWait(): void
  /** Starts the clock between two reads of a body that is waited for. */
  startUploadClock(onExpire: () => void): Deadline
}

/** As much is read ahead of whoever reads the body. */
const AHEAD_BYTES_MAX = 256 * 1024

/** The body of one request, as it comes off the connection. */
export class RequestBody {
  readonly #source: BodySource
  readonly #chunked: ChunkedBody | undefined
  #left: number
  #held: Buffer[] = []
  #heldBytes = 0
  #failure: { readonly cause: unknown } | undefined
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #isWanted = false
  #isRead = false
  #isDropped = false
  #hasWaited = false
  #idle: Deadline | undefined
  #onOver: (() => void) | undefined

  constructor(bodyBytes: number, source: BodySource) {
    this.#source = source
    this.#chunked = bodyBytes === CHUNKED ? createChunkedBody() : undefined
    this.#left = bodyBytes
  }

  /** Whether its last byte has come. */
  get isComplete(): boolean {
    return this.#chunked === undefined ? this.#left === 0 : this.#chunked.isDone()
  }

  /** Takes bytes of the connection, and returns those behind the body, if any. Throws `malformed_request`. */
  feed(bytes: Buffer): Buffer | undefined {
    if (this.#chunked === undefined && bytes.byteLength <= this.#left) {
      this.#left -= bytes.byteLength
      this.#add(bytes)
      return undefined
    }
    const taken = this.#chunked?.take(bytes, (payload) => this.#add(payload)) ?? this.#left
    if (this.#chunked === undefined) {
      this.#add(bytes.subarray(0, taken))
      this.#left = 0
    }
    return taken < bytes.byteLength ? bytes.subarray(taken) : undefined
  }

  /** To be called when something was fed: hands it to the reader, or stops the client where nobody reads. */
  settle(): void {
    if (this.#isWanted && (this.#heldBytes > 0 || this.isComplete)) this.#deliver()
    else if (this.#heldBytes > AHEAD_BYTES_MAX) this.#source.pause()
    if (this.isComplete) this.#onOver?.()
  }

  /** All of it, where it has all come and nobody has read of it. */
  takeWhole(): Uint8Array<ArrayBuffer> | undefined {
    if (!this.isComplete) return undefined
    const [only] = this.#held
    const whole = this.#held.length === 1 && only !== undefined ? only : Buffer.concat(this.#held)
    this.#held = []
    return whole as Uint8Array<ArrayBuffer>
  }

  /** A stream of it, never read further ahead than 256 KiB. */
  stream(): ReadableStream<Uint8Array> {
    this.#idle = this.#source.startUploadClock(() => this.fail(new ApiError('upload_timeout')))
    this.#idle.suspend()
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => {
          this.#isRead = true
          this.#isWanted = true
          if (this.#failure !== undefined) this.#controller?.error(this.#failure.cause)
          else if (this.#heldBytes > 0 || this.isComplete) this.#deliver()
          else this.#wait()
        },
        cancel: () => this.drop(),
      },
      { highWaterMark: 0 },
    )
  }

  /** It will never be complete: whoever reads it is told. */
  fail(cause: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = { cause }
    this.#idle?.clear()
    if (this.#isWanted && !this.#isDropped) this.#controller?.error(cause)
    this.#onOver?.()
  }

  /** Nobody wants the rest: it is read and dropped. */
  drop(): void {
    this.#isDropped = true
    this.#idle?.clear()
    this.#held = []
    this.#heldBytes = 0
    this.#source.resume()
  }

  /** Whether somebody has begun to read its stream, and goes on. */
  get isBeingRead(): boolean {
    return this.#isRead && !this.#isDropped
  }

  /** Calls back when nothing more of it will come. */
  onceOver(callback: () => void): void {
    if (this.isComplete || this.#failure !== undefined) callback()
    else this.#onOver = callback
  }

  #add(payload: Buffer): void {
    if (this.#isDropped || payload.byteLength === 0) return
    this.#held.push(payload)
    this.#heldBytes += payload.byteLength
  }

  #wait(): void {
    if (!this.#hasWaited) this.#source.onFirstWait()
    this.#hasWaited = true
    this.#idle?.touch()
    this.#source.resume()
  }

  #deliver(): void {
    if (this.#isDropped || this.#failure !== undefined) return
    this.#isWanted = false
    this.#idle?.suspend()
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    for (const payload of held) this.#controller?.enqueue(payload)
    if (!this.isComplete) return
    this.#idle?.clear()
    this.#controller?.close()
  }
}
