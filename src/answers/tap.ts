import { REST_MS, type WatchedEnd } from '../exchange/answer-end.ts'
import type { Outcome } from '../exchange/outcome.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Deadline } from '../timing/deadlines.ts'
import type { Rewriting } from './rewrite-stream.ts'

/** The functions that a tap calls while a body passes by it. */
export interface TapWatch {
  /** Called once, before the first chunk goes on. */
  readonly onFirstChunk?: (chunk: Uint8Array) => void
  /** Changes the chunks before anybody sees them; undefined: they stay as they are. */
  readonly rewriting?: Rewriting | undefined
  /** Called before each chunk goes on. */
  readonly onChunk?: ((chunk: Uint8Array) => void) | undefined
  /** Called exactly once, when the body has ended in any way; `bytes` is what went through. */
  readonly onEnd: (outcome: Outcome, bytes: number) => void
  /** Runs only while the source is being waited for: a slow reader never counts as a silent source. */
  readonly idle?: Deadline
  /** The state of the answer, which may be complete before its body is, or the other way round. */
  readonly end?: WatchedEnd | undefined
  /** The last bytes to send when the source fails, if the bytes before (`tail` is their end, which `end` knows) allow any. */
  readonly finalBytesFor?: (tail: Uint8Array, cause: unknown) => Uint8Array | undefined
}

/** A body that must not look complete. */
export interface Broken {
  readonly cause: unknown
  /** The bytes that may still be sent before the break. */
  readonly finalBytes: Uint8Array | undefined
}

const NOTHING = new Uint8Array()
/** The reason for which the rest behind an answer's last event is not waited for any longer. */
const REST_IS_OVER = new ApiError('client_closed')

/**
 * Watches a body that its reader passes on chunk by chunk, and reports its end once.
 *
 * @example
 * const tap = new Tap({ onEnd: (outcome, bytes) => record(outcome, bytes) })
 * for (;;) { tap.onWait(); const { done, value } = await reader.read(); if (done) return tap.onDone(); write(tap.onChunk(value)) }
 */
export class Tap {
  readonly #watch: TapWatch
  #bytes = 0
  #hasEnded = false
  #follower: TapWatch['onEnd'] | undefined

  constructor(watch: TapWatch) {
    this.#watch = watch
  }

  /** Adds one more function that is told of the end, behind the first one. */
  follow(onEnd: TapWatch['onEnd']): void {
    this.#follower = onEnd
  }

  /** Notes that the source is asked for a chunk. */
  onWait(): void {
    this.#watch.idle?.touch()
  }

  /** Notes that a chunk has come. Gives the bytes to pass on: the chunk itself, or what is shown of it, which may be none. */
  onChunk(came: Uint8Array): Uint8Array {
    const watch = this.#watch
    watch.idle?.suspend()
    const chunk = watch.rewriting === undefined ? came : watch.rewriting.add(came)
    this.#watchChunk(chunk)
    return chunk
  }

  /** Gives the bytes that were held back until the end of the source; undefined: none. To be called before `onDone`. */
  lastBytes(): Uint8Array | undefined {
    const rest = this.#hasEnded ? undefined : this.#watch.rewriting?.end()
    if (rest === undefined || rest.byteLength === 0) return undefined
    this.#watchChunk(rest)
    return rest
  }

  #watchChunk(chunk: Uint8Array): void {
    const watch = this.#watch
    if (this.#bytes === 0 && chunk.byteLength > 0) watch.onFirstChunk?.(chunk)
    watch.onChunk?.(chunk)
    this.#bytes += chunk.byteLength
    watch.end?.of.add(chunk)
  }

  /** Notes that the source has ended. undefined: properly; else the body must not look complete. */
  onDone(): Broken | undefined {
    const cause = this.#hasEnded ? undefined : this.#watch.end?.of.whyBroken()
    if (cause !== undefined) return this.#break(cause)
    this.#complete()
    return undefined
  }

  /** Notes that the source has failed. undefined: behind the answer's last event, and the body may end; else it must not look complete. */
  onFail(cause: unknown): Broken | undefined {
    // A source whose reader has left also fails: that is no failure of its own.
    if (this.#hasEnded) return { cause, finalBytes: undefined }
    if (this.#watch.end?.of.meaning() !== 'last') return this.#break(cause)
    this.#complete()
    return undefined
  }

  /**
   * Notes that the reader leaves. Behind the answer's last event, the rest of the source is read for a moment: until the returned deadline
   * is cleared, or `giveUp` is called; `onCancel` and the source's cancelling come then. undefined: they are due now.
   */
  onLeave(giveUp: (reason: ApiError) => void): Deadline | undefined {
    const { end } = this.#watch
    if (this.#hasEnded || end === undefined || end.of.meaning() === 'neither') return undefined
    return end.deadlines.start(REST_MS, () => giveUp(REST_IS_OVER))
  }

  /** Notes that the reader has left. */
  onCancel(): void {
    if (this.#hasEnded) return
    const meaning = this.#watch.end?.of.meaning() ?? 'neither'
    if (meaning === 'neither') this.#end({ kind: 'cancelled' })
    else this.#complete()
  }

  #complete(): void {
    this.#end({ kind: 'complete', end: this.#watch.end?.of })
  }

  #break(cause: unknown): Broken {
    const { end, finalBytesFor } = this.#watch
    const broken = { cause, finalBytes: finalBytesFor?.(end?.of.lastBytes ?? NOTHING, cause) }
    this.#end({ kind: 'failed', cause })
    return broken
  }

  #end(outcome: Outcome): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#watch.idle?.clear()
    this.#watch.onEnd(outcome, this.#bytes)
    this.#follower?.(outcome, this.#bytes)
  }
}
