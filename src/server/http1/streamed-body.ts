import { GatheredBytes } from '../../formats/bytes/gathered-bytes.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Deadline } from '../../timing/deadlines.ts'
import { breathe } from '../../timing/slices.ts'
import { ChunkedBody } from './chunked-body.ts'
import { CHUNKED } from './request-head.ts'
import type { BodySource, TransactionBody } from './transaction-body.ts'
import { type UploadPace, UploadRate } from './upload-rate.ts'

/** The most that is read ahead of the reader. */
const AHEAD_BYTES_MAX = 256 * 1024
/** A body up to this size is gathered into one buffer; the pieces of a longer one are kept, because it may never come. */
const GATHERED_BYTES_MAX = 1024 * 1024
/** The longest time in a row that chunks are decoded before others get their turn. */
const BUSY_MS = 2

/** A body that comes off the connection piece by piece, held until it is read. */
export class StreamedBody implements TransactionBody {
  length: number | undefined
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
  /** The promise of all of it, where that was asked for. */
  #gathering: PromiseWithResolvers<Uint8Array<ArrayBuffer>> | undefined
  /** How long chunks have been decoded since others had their turn, in ms. */
  #busyMs = 0

  constructor(bodyBytes: number, source: BodySource, pace: UploadPace | undefined) {
    this.#source = source
    this.#pace = pace
    this.#chunked = bodyBytes === CHUNKED ? new ChunkedBody() : undefined
    this.#left = bodyBytes
    this.length = bodyBytes === CHUNKED ? undefined : bodyBytes
  }

  get isComplete(): boolean {
    return this.#chunked?.isDone ?? this.#left === 0
  }

  feed(bytes: Buffer): Buffer | undefined {
    this.#rate?.come(bytes.byteLength)
    const taken = this.#chunked === undefined ? this.#takeCounted(bytes) : this.#takeChunks(this.#chunked, bytes)
    return taken < bytes.byteLength ? bytes.subarray(taken) : undefined
  }

  settle(): void {
    if (!this.isComplete && this.#rate?.isTooSlow(performance.now()) === true) {
      this.fail(new ApiError('upload_timeout'))
      return
    }
    if (this.#gathering !== undefined) this.#gather(this.#gathering.resolve)
    else if (this.#isWanted && (this.#held.byteLength > 0 || this.isComplete)) this.#deliver()
    else if (this.#held.byteLength > AHEAD_BYTES_MAX) this.#source.pause()
    if (this.isComplete) this.#arrive()
    else if (this.#busyMs > BUSY_MS) this.#rest()
  }

  /** Gives all of it: at once where it has come. A body of up to 1 MiB is gathered into one buffer. Rejects with the reason of `fail`. */
  whole(): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    if (this.isComplete) return this.#held.join()
    if (this.#failure !== undefined) return Promise.reject(this.#failure.cause)
    const gathering = Promise.withResolvers<Uint8Array<ArrayBuffer>>()
    this.#gathering = gathering
    const bytes = this.#held.byteLength + this.#left
    if (this.#chunked === undefined && bytes <= GATHERED_BYTES_MAX) this.#held.gatherInto(Buffer.allocUnsafe(bytes))
    this.#startClock()
    this.#wait()
    return gathering.promise
  }

  /** Gives a stream of it, which never holds more than 256 KiB of unread bytes. */
  stream(): ReadableStream<Uint8Array> {
    this.#startClock()
    return new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          this.#controller = controller
          this.#isRead = true
          this.#isWanted = true
          if (this.#failure !== undefined) controller.error(this.#failure.cause)
          else if (this.#held.byteLength > 0 || this.isComplete) this.#deliver()
          else this.#wait()
        },
        cancel: () => this.drop(),
      },
      { highWaterMark: 0 },
    )
  }

  onceArrived(callback: (at: number) => void): void {
    // A body that was complete before it was first settled has come just now.
    if (this.isComplete) callback(this.#arrivedAt ?? performance.now())
    else this.#onArrived.push(callback)
  }

  fail(cause: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = { cause }
    this.#idle?.clear()
    this.#gathering?.reject(cause)
    if (this.#isWanted && !this.#isDropped) this.#controller?.error(cause)
    this.#onOver?.()
  }

  drop(): void {
    this.#isDropped = true
    this.#idle?.clear()
    this.#held.take()
    this.#source.resume()
  }

  get isBeingRead(): boolean {
    return (this.#isRead || this.#gathering !== undefined) && !this.#isDropped
  }

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

  #takeCounted(bytes: Buffer): number {
    const taken = Math.min(this.#left, bytes.byteLength)
    this.#left -= taken
    this.#add(taken === bytes.byteLength ? bytes : bytes.subarray(0, taken))
    return taken
  }

  #takeChunks(chunked: ChunkedBody, bytes: Buffer): number {
    const began = performance.now()
    const taken = chunked.take(bytes, (payload) => this.#add(payload))
    this.#busyMs += performance.now() - began
    if (chunked.isDone && !this.#isRead) this.length = this.#held.byteLength
    return taken
  }

  /** Pauses the client until others have had their turn: so many chunks take time to decode. */
  #rest(): void {
    this.#busyMs = 0
    this.#source.pause()
    void breathe().then(() => (this.#held.byteLength <= AHEAD_BYTES_MAX ? this.#source.resume() : undefined))
  }

  #add(payload: Buffer): void {
    if (!this.#isDropped) this.#held.add(payload as Uint8Array<ArrayBuffer>)
  }

  #startClock(): void {
    this.#idle = this.#source.startUploadClock(() => this.fail(new ApiError('upload_timeout')))
    this.#idle.suspend()
    if (this.#pace !== undefined && this.#pace.bytesPerSecondMin > 0) this.#rate = new UploadRate(this.#pace)
  }

  #gather(resolve: (whole: Uint8Array<ArrayBuffer>) => void): void {
    if (this.isComplete) {
      this.#idle?.clear()
      this.#gathering = undefined
      resolve(this.#held.join())
    } else this.#idle?.touch()
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
