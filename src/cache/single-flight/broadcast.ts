import { ignoreRejection } from '../../formats/ignore-rejection.ts'
import type { TimedChunk } from '../../timing/paced-stream.ts'
import { BroadcastReader, type SourceEnd } from './broadcast-reader.ts'
import { KeptChunks, type Memory } from './kept-chunks.ts'

/** The bounds of a broadcast, and who is told of its end. */
export interface BroadcastDeps {
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** So many bytes of the body are kept for readers that join later, with what keeping each chunk costs. */
  readonly keptBytesMax: number
  /** The kept chunks count towards it; where none is left, nobody joins any more. Absent: they are not counted. */
  readonly memory?: Memory | undefined
  /** The source is read to its end also when nobody reads any more. */
  readonly runsOn: boolean
  /** Whether these chunks are all of the answer, though the source goes on. */
  readonly isInFull: (chunks: readonly TimedChunk[]) => boolean
  /** Called once, when all of the body is kept: the source has ended properly, or the last reader has left with all of the answer. */
  readonly onComplete: (chunks: readonly TimedChunk[]) => void
  /** Called once, when nobody can join any more: the body is too large, broken or cancelled. `chunks`: all that has come. */
  readonly onClosed: (isTooLarge: boolean, chunks: readonly TimedChunk[]) => void
  /**
   * Called once, last of all, when the source has ended in any way. `cause`: why it broke off or was cancelled; `chunks`: those that are
   * kept.
   */
  readonly onEnd: (end: SourceEnd, cause: unknown, chunks: readonly TimedChunk[]) => void
}

/** The methods of a stream's reader that a broadcast uses. */
interface SourceReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
  cancel(reason: unknown): Promise<void>
}

/**
 * One body for any number of readers: each gets all of it from its start, at its own pace.
 *
 * The source is read once, and never ahead of the fastest reader. As long as the kept chunks stay within the bound, others may join, and a
 * slow reader holds nobody up. Beyond the bound nobody joins, chunks that all have read are dropped, and the slowest reader holds the
 * source back. A source that breaks off breaks all readers off, each after the bytes that came before.
 *
 * A reader that leaves changes nothing for the others. When the last one leaves, the source is cancelled; with `runsOn` it is read to its
 * end, as long as all of it can be kept. The body is complete then if all of the answer has come.
 *
 * @example
 * const broadcast = new Broadcast(answer.body, { now, keptBytesMax, runsOn: false, isInFull, onComplete, onClosed, onEnd })
 * const bodies = [broadcast.join(oneSignal), broadcast.join(otherSignal)]
 */
export class Broadcast {
  readonly #source: SourceReader
  readonly #deps: BroadcastDeps
  readonly #headAt: number
  readonly #readers = new Set<BroadcastReader>()
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

  /** The whole body for one more reader, which leaves when the signal is aborted; undefined: it is too late to join. */
  join(signal: AbortSignal): ReadableStream<Uint8Array> | undefined {
    if (!this.#isJoinable) return undefined
    const reader = new BroadcastReader(signal, {
      onPull: (one) => this.#pull(one),
      onLeave: (one, reason) => this.#leave(one, reason),
    })
    this.#readers.add(reader)
    return reader.stream
  }

  /** Ends the call if nobody reads. To be called once all who waited for the answer's head have joined. */
  settle(reason: unknown): void {
    if (this.#readers.size === 0) this.#abandon(reason)
  }

  #pull(reader: BroadcastReader): Promise<void> | undefined {
    if (this.#serve(reader)) {
      this.#dropRead()
      return undefined
    }
    const waiting = reader.wait()
    this.#readOn()
    return waiting
  }

  /** Gives a reader its next chunk, or the end; false: neither has come. */
  #serve(reader: BroadcastReader): boolean {
    if (reader.give(this.#kept)) return true
    if (this.#state === 'open') return false
    this.#remove(reader)
    reader.end(this.#state, this.#cause)
    return true
  }

  #remove(reader: BroadcastReader): void {
    this.#readers.delete(reader)
    reader.release()
    this.#releaseAtEnd()
  }

  #leave(reader: BroadcastReader, reason: unknown): void {
    this.#remove(reader)
    if (this.#readers.size === 0) this.#abandon(reason)
    else this.#dropRead()
  }

  /** Nobody reads any more. A body that nobody can join is cancelled even with `runsOn`: nobody would get it. */
  #abandon(reason: unknown): void {
    if (this.#deps.runsOn && this.#isJoinable) this.#readOn()
    else if (this.#state === 'open') {
      const isInFull = this.#isJoinable && this.#deps.isInFull(this.#kept.all)
      this.#end(isInFull ? 'complete' : 'cancelled', reason)
      void ignoreRejection(this.#source.cancel(reason))
    }
  }

  /** Reads the source's next chunk, unless a slow reader holds it back. */
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
    if (this.#readers.size === 0) this.#abandon(undefined)
  }

  #onFail(cause: unknown): void {
    if (this.#state !== 'open') return
    this.#end('broken', cause)
    this.#wakeAll()
  }

  #wakeAll(): void {
    for (const reader of this.#readers) {
      if (!reader.isWaiting) continue
      // An empty chunk gives a reader nothing: the next one is read at once.
      if (this.#serve(reader)) reader.wake()
      else this.#readOn()
    }
    this.#dropRead()
  }

  /** Once nobody can join: drops the chunks that all have read, and reads on if a reader waits for the room. */
  #dropRead(): void {
    if (this.#isJoinable) return
    let slowest = this.#kept.end
    let isAwaited = false
    for (const reader of this.#readers) {
      slowest = Math.min(slowest, reader.next)
      isAwaited ||= reader.isWaiting
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
    if (this.#state !== 'open' && this.#readers.size === 0) this.#kept.release()
  }

  #close(isTooLarge: boolean): void {
    if (!this.#isJoinable) return
    this.#isJoinable = false
    this.#deps.onClosed(isTooLarge, this.#kept.all)
  }
}
