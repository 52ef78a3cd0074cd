import { ignoreRejection } from '../../formats/ignore-rejection.ts'
import type { BroadcastDeps, SourceEnd } from './broadcast-deps.ts'
import { KeptChunks } from './kept-chunks.ts'

/** As much of a stream's reader as is used here. */
interface Reader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
  cancel(reason: unknown): Promise<void>
}

/** Somebody who reads the whole body at a pace of its own. */
interface Listener {
  controller: ReadableStreamDefaultController<Uint8Array> | undefined
  /** The number of the next chunk, counted from the body's start. */
  next: number
  /** Ends its wait for a chunk; undefined: it is not waiting. */
  wake: (() => void) | undefined
  /** Its signal is no longer listened to. */
  readonly release: () => void
}

/**
 * One body for any number of readers: each gets all of it from its start, at its own pace.
 *
 * The source is read once, and never ahead of the fastest reader. As long as what has come stays within the bound, others may
 * join, and a slow reader holds nobody up. Beyond it nobody joins, what all have read is let go of, and the slowest reader
 * holds the source back. A source that breaks off breaks all readers off, each after the bytes that came before.
 *
 * A reader that leaves changes nothing for the others. When the last one leaves, the source is cancelled; with `runsOn` it is
 * read to its end, as long as all of it can be kept. What has come by then is complete where it is all of the answer.
 *
 * @example
 * const broadcast = new Broadcast(answer.body, { now, keptBytesMax, runsOn: false, onComplete, onClosed, onEnd })
 * const bodies = [broadcast.join(oneSignal), broadcast.join(otherSignal)]
 */
export class Broadcast {
  readonly #source: Reader
  readonly #deps: BroadcastDeps
  readonly #headAt: number
  readonly #listeners = new Set<Listener>()
  readonly #kept: KeptChunks
  #state: 'open' | SourceEnd = 'open'
  #cause: unknown
  #isReading = false
  #isJoinable = true

  constructor(body: ReadableStream<Uint8Array>, deps: BroadcastDeps) {
    this.#source = body.getReader()
    this.#deps = deps
    this.#headAt = deps.now()
    this.#kept = new KeptChunks(deps.keptBytesMax, deps.memory)
  }

  /** The whole body for one more reader, who leaves when the signal is aborted; undefined: it is too late. */
  join(signal: AbortSignal): ReadableStream<Uint8Array> | undefined {
    if (!this.#isJoinable) return undefined
    const onAbort = (): void => {
      listener.controller?.error(signal.reason)
      this.#leave(listener, signal.reason)
    }
    const release = (): void => signal.removeEventListener('abort', onAbort)
    const listener: Listener = { controller: undefined, next: 0, wake: undefined, release }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#listeners.add(listener)
    return new ReadableStream<Uint8Array>(
      {
        start(controller) {
          listener.controller = controller
        },
        pull: () => this.#pull(listener),
        cancel: (reason) => this.#leave(listener, reason),
      },
      { highWaterMark: 0 },
    )
  }

  /** To be called once all who wanted the body at its head have joined: where nobody has, the last one has left. */
  settle(reason: unknown): void {
    if (this.#listeners.size === 0) this.#abandon(reason)
  }

  #pull(listener: Listener): Promise<void> | undefined {
    if (this.#serve(listener)) {
      this.#letGo()
      return undefined
    }
    const waiting = new Promise<void>((resolve) => {
      listener.wake = resolve
    })
    this.#readOn()
    return waiting
  }

  /** Gives a reader what is next for it; false: nothing yet. */
  #serve(listener: Listener): boolean {
    const bytes = this.#kept.at(listener.next)
    if (bytes !== undefined) {
      listener.next += 1
      listener.controller?.enqueue(bytes)
      return true
    }
    if (this.#state === 'open') return false
    this.#remove(listener)
    if (this.#state === 'complete') listener.controller?.close()
    else listener.controller?.error(this.#cause)
    return true
  }

  #remove(listener: Listener): void {
    this.#listeners.delete(listener)
    listener.release()
    this.#releaseAtEnd()
  }

  #leave(listener: Listener, reason: unknown): void {
    this.#remove(listener)
    if (this.#listeners.size === 0) this.#abandon(reason)
    else this.#letGo()
  }

  /** Nobody reads any more. What nobody can join is of no use to anybody. */
  #abandon(reason: unknown): void {
    if (this.#deps.runsOn && this.#isJoinable) this.#readOn()
    else if (this.#state === 'open') {
      const isInFull = this.#isJoinable && this.#deps.isInFull(this.#kept.all)
      this.#end(isInFull ? 'complete' : 'cancelled', reason)
      void ignoreRejection(this.#source.cancel(reason))
    }
  }

  /** Reads a chunk, where there is room for it. */
  #readOn(): void {
    if (this.#isReading || this.#state !== 'open') return
    if (!this.#isJoinable && this.#kept.isOverfull) return
    this.#isReading = true
    this.#source.read().then(
      ({ value }) => this.#onRead(value),
      (cause: unknown) => this.#onFail(cause),
    )
  }

  #onRead(bytes: Uint8Array | undefined): void {
    this.#isReading = false
    if (this.#state !== 'open') return
    if (bytes === undefined) this.#end('complete', undefined)
    else if (bytes.byteLength > 0) {
      this.#kept.push(bytes, this.#deps.now() - this.#headAt)
      if (this.#kept.isOverfull) this.#close(true)
    }
    this.#wakeAll()
    if (this.#listeners.size === 0) this.#abandon(undefined)
  }

  #onFail(cause: unknown): void {
    if (this.#state !== 'open') return
    this.#end('broken', cause)
    this.#wakeAll()
  }

  #wakeAll(): void {
    for (const listener of this.#listeners) {
      const { wake } = listener
      if (wake === undefined) continue
      // A chunk without bytes has nothing for it, and the next one is due.
      if (!this.#serve(listener)) this.#readOn()
      else {
        listener.wake = undefined
        wake()
      }
    }
    this.#letGo()
  }

  /** Lets go of what all have read, once nobody can join, and reads on where that makes room for somebody who waits. */
  #letGo(): void {
    if (this.#isJoinable) return
    let slowest = this.#kept.end
    let isAwaited = false
    for (const { next, wake } of this.#listeners) {
      slowest = Math.min(slowest, next)
      isAwaited ||= wake !== undefined
    }
    this.#kept.dropBefore(slowest)
    if (isAwaited) this.#readOn()
  }

  #end(state: SourceEnd, cause: unknown): void {
    this.#state = state
    this.#cause = cause
    if (state !== 'complete') this.#close(false)
    else if (this.#isJoinable) this.#deps.onComplete(this.#kept.all)
    this.#deps.onEnd(state, cause, this.#kept.all)
    this.#releaseAtEnd()
  }

  #releaseAtEnd(): void {
    if (this.#state !== 'open' && this.#listeners.size === 0) this.#kept.release()
  }

  #close(isTooLarge: boolean): void {
    if (!this.#isJoinable) return
    this.#isJoinable = false
    this.#deps.onClosed(isTooLarge, this.#kept.all)
  }
}
