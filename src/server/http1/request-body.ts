import { GatheredBytes } from '../../formats/bytes/gathered-bytes.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Deadline } from '../../timing/deadlines.ts'
import { breathe } from '../../timing/slices.ts'
import { type ChunkedBody, createChunkedBody } from './chunked-body.ts'
import { CHUNKED } from './request-head.ts'
import type { TurnBody } from './turn.ts'
import { type UploadPace, UploadRate } from './upload-rate.ts'

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

/** A body of up to so many bytes is put together as it comes; of a longer one the pieces are kept, for it may never come. */
const GATHERED_BYTES_MAX = 1024 * 1024
/** So long chunks are taken apart at a time. */
const BUSY_MS = 2

interface Gathering {
  readonly resolve: (whole: Uint8Array<ArrayBuffer>) => void
  readonly reject: (cause: unknown) => void
}

/** The body of one request, as it comes off the connection. */
export class RequestBody implements TurnBody {
  readonly length: number | undefined
  readonly #source: BodySource
  readonly #pace: UploadPace | undefined
  readonly #chunked: ChunkedBody | undefined
  #left: number
  readonly #held = new GatheredBytes()
  #failure: { readonly cause: unknown } | undefined
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #isWanted = false
  #isRead = false
  #isDropped = false
  #hasWaited = false
  #idle: Deadline | undefined
  #rate: UploadRate | undefined
  #onOver: (() => void) | undefined
  readonly #onArrived: ((at: number) => void)[] = []
  #arrivedAt: number | undefined
  #gathering: Gathering | undefined
  /** What a body is put together in. */
  #target: Uint8Array<ArrayBuffer> | undefined
  #targetBytes = 0
  /** How long its chunks have been taken apart since others had their turn, in ms. */
  #busyMs = 0

  constructor(bodyBytes: number, source: BodySource, pace: UploadPace | undefined) {
    this.#source = source
    this.#pace = pace
    this.#chunked = bodyBytes === CHUNKED ? createChunkedBody() : undefined
    this.#left = bodyBytes
    this.length = bodyBytes === CHUNKED ? undefined : bodyBytes
  }

  /** Whether its last byte has come. */
  get isComplete(): boolean {
    return this.#chunked === undefined ? this.#left === 0 : this.#chunked.isDone()
  }

  /** Takes bytes of the connection, and returns those behind the body, if any. Throws `malformed_request`. */
  feed(bytes: Buffer): Buffer | undefined {
    this.#rate?.come(bytes.byteLength)
    if (this.#chunked === undefined && bytes.byteLength <= this.#left) {
      this.#left -= bytes.byteLength
      this.#add(bytes)
      return undefined
    }
    const taken = this.#chunked === undefined ? this.#takeLast(bytes) : this.#takeChunks(this.#chunked, bytes)
    return taken < bytes.byteLength ? bytes.subarray(taken) : undefined
  }

  /** To be called when something was fed: hands it to the reader, or stops the client where nobody reads. */
  settle(): void {
    if (!this.isComplete && this.#rate?.isTooSlow(performance.now()) === true) {
      this.fail(new ApiError('upload_timeout'))
      return
    }
    if (this.#gathering !== undefined) this.#gather(this.#gathering)
    else if (this.#isWanted && (this.#held.byteLength > 0 || this.isComplete)) this.#deliver()
    else if (this.#held.byteLength > AHEAD_BYTES_MAX) this.#source.pause()
    if (this.isComplete) this.#arrive()
    else if (this.#busyMs > BUSY_MS) this.#rest()
  }

  /** All of it: at once where it has come. One of up to 1 MiB is put together as it comes. */
  whole(): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    if (this.isComplete) return this.#held.join()
    if (this.#failure !== undefined) return Promise.reject(this.#failure.cause)
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array<ArrayBuffer>>()
    this.#gathering = { resolve, reject }
    const bytes = this.#held.byteLength + this.#left
    if (this.#chunked === undefined && bytes <= GATHERED_BYTES_MAX) this.#gatherInto(Buffer.allocUnsafe(bytes))
    this.#startClock()
    this.#wait()
    return promise
  }

  /** A stream of it, never read further ahead than 256 KiB. */
  stream(): ReadableStream<Uint8Array> {
    this.#startClock()
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => {
          this.#isRead = true
          this.#isWanted = true
          if (this.#failure !== undefined) this.#controller?.error(this.#failure.cause)
          else if (this.#held.byteLength > 0 || this.isComplete) this.#deliver()
          else this.#wait()
        },
        cancel: () => this.drop(),
      },
      { highWaterMark: 0 },
    )
  }

  /** Calls back with the time of its last byte. */
  onceArrived(callback: (at: number) => void): void {
    // One that has come as a whole before anybody was told of it has come just now.
    if (this.isComplete) callback(this.#arrivedAt ?? performance.now())
    else this.#onArrived.push(callback)
  }

  /** It will never be complete: whoever reads it is told. */
  fail(cause: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = { cause }
    this.#idle?.clear()
    this.#gathering?.reject(cause)
    if (this.#isWanted && !this.#isDropped) this.#controller?.error(cause)
    this.#onOver?.()
  }

  /** Nobody wants the rest: it is read and dropped. */
  drop(): void {
    this.#isDropped = true
    this.#idle?.clear()
    this.#held.take()
    this.#source.resume()
  }

  /** Whether somebody has begun to read its stream, and goes on. */
  get isBeingRead(): boolean {
    return (this.#isRead || this.#gathering !== undefined) && !this.#isDropped
  }

  /** Calls back when nothing more of it will come. */
  onceOver(callback: () => void): void {
    if (this.isComplete || this.#failure !== undefined) callback()
    else this.#onOver = callback
  }

  #arrive(): void {
    if (this.#arrivedAt === undefined) {
      this.#arrivedAt = performance.now()
      for (const callback of this.#onArrived) callback(this.#arrivedAt)
    }
    this.#onOver?.()
  }

  #takeLast(bytes: Buffer): number {
    const taken = this.#left
    this.#add(bytes.subarray(0, taken))
    this.#left = 0
    return taken
  }

  #takeChunks(chunked: ChunkedBody, bytes: Buffer): number {
    const began = performance.now()
    const taken = chunked.take(bytes, (payload) => this.#add(payload))
    this.#busyMs += performance.now() - began
    return taken
  }

  /** Its chunks are so many that taking them apart keeps others waiting: what comes next does so when these have had their turn. */
  #rest(): void {
    this.#busyMs = 0
    this.#source.pause()
    const goOn = (): void => (this.#held.byteLength <= AHEAD_BYTES_MAX ? this.#source.resume() : undefined)
    void breathe().then(goOn)
  }

  #add(payload: Buffer): void {
    if (this.#isDropped || payload.byteLength === 0) return
    if (this.#target === undefined) {
      this.#held.add(payload as Uint8Array<ArrayBuffer>)
      return
    }
    this.#target.set(payload, this.#targetBytes)
    this.#targetBytes += payload.byteLength
  }

  #startClock(): void {
    this.#idle = this.#source.startUploadClock(() => this.fail(new ApiError('upload_timeout')))
    this.#idle.suspend()
    if (this.#pace !== undefined && this.#pace.bytesPerSecondMin > 0) this.#rate = new UploadRate(this.#pace)
  }

  #gatherInto(target: Uint8Array<ArrayBuffer>): void {
    for (const payload of this.#held.take()) {
      target.set(payload, this.#targetBytes)
      this.#targetBytes += payload.byteLength
    }
    this.#target = target
  }

  #gather({ resolve }: Gathering): void {
    if (!this.isComplete) {
      this.#idle?.touch()
      return
    }
    this.#idle?.clear()
    this.#gathering = undefined
    resolve(this.#target ?? this.#held.join())
  }

  #wait(): void {
    if (!this.#hasWaited) this.#source.onFirstWait()
    this.#hasWaited = true
    this.#idle?.touch()
    this.#rate?.wait(performance.now())
    this.#source.resume()
  }

  #deliver(): void {
    if (this.#isDropped || this.#failure !== undefined) return
    this.#isWanted = false
    this.#idle?.suspend()
    this.#rate?.rest()
    for (const payload of this.#held.take()) this.#controller?.enqueue(payload)
    if (!this.isComplete) return
    this.#idle?.clear()
    this.#controller?.close()
  }
}
