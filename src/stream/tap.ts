import { lastBytes, TAIL_BYTES } from '../formats/sse/event-boundary.ts'
import type { Deadline } from '../timing/deadlines.ts'
import type { Outcome } from './outcome.ts'

/** What a tap tells while a body passes by it. */
export interface TapWatch {
  /** Called once, before the first chunk goes on. */
  readonly onFirstChunk?: (chunk: Uint8Array) => void
  /** Called before each chunk goes on. */
  readonly onChunk?: (chunk: Uint8Array) => void
  /** Called exactly once, when the body has ended in any way; `bytes` is what went through. */
  readonly onEnd: (outcome: Outcome, bytes: number) => void
  /** Runs only while the source is being waited for: a slow reader never counts as a silent source. */
  readonly idle?: Deadline
  /** The last bytes to send when the source fails, if what was sent before (`tail` is its end) allows any. */
  readonly farewell?: (tail: Uint8Array, cause: unknown) => Uint8Array | undefined
}

const NOTHING = new Uint8Array()

/**
 * Watches a body that somebody passes on chunk by chunk, and reports its end once.
 *
 * @example
 * const tap = new Tap({ onEnd: (outcome, bytes) => record(outcome, bytes) })
 * for (;;) { tap.onWait(); const { done, value } = await reader.read(); if (done) return tap.onDone(); tap.onChunk(value) }
 */
export class Tap {
  readonly #watch: TapWatch
  #bytes = 0
  #tail: Uint8Array = NOTHING
  #hasEnded = false
  #follower: TapWatch['onEnd'] | undefined

  constructor(watch: TapWatch) {
    this.#watch = watch
  }

  /** Has somebody else told of the end, too: one, behind whoever was first. */
  follow(onEnd: TapWatch['onEnd']): void {
    this.#follower = onEnd
  }

  /** The source is asked for a chunk. */
  onWait(): void {
    this.#watch.idle?.touch()
  }

  /** A chunk has come. */
  onChunk(chunk: Uint8Array): void {
    const watch = this.#watch
    watch.idle?.suspend()
    if (this.#bytes === 0 && chunk.byteLength > 0) watch.onFirstChunk?.(chunk)
    watch.onChunk?.(chunk)
    this.#bytes += chunk.byteLength
    // Of a chunk that is long enough the last bytes are looked for at the end only.
    if (watch.farewell !== undefined) this.#tail = chunk.byteLength >= TAIL_BYTES ? chunk : lastBytes(this.#tail, chunk)
  }

  /** The source has come to its proper end. */
  onDone(): void {
    this.#end({ kind: 'complete' })
  }

  /** The source has failed; what is returned may still be sent. The body must not look complete. */
  onFail(cause: unknown): Uint8Array | undefined {
    // A source whose reader has left fails too: that is no failure of its own.
    if (this.#hasEnded) return undefined
    const farewell = this.#watch.farewell?.(lastBytes(NOTHING, this.#tail), cause)
    this.#end({ kind: 'failed', cause })
    return farewell
  }

  /** The reader has left. */
  onCancel(): void {
    this.#end({ kind: 'cancelled' })
  }

  #end(outcome: Outcome): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#watch.idle?.clear()
    this.#watch.onEnd(outcome, this.#bytes)
    this.#follower?.(outcome, this.#bytes)
  }
}

/** What a tapped body does differently where it is read within the program, and not by the runtime. */
export interface PassOptions {
  /** What it breaks with, given what its source did; nothing where absent. */
  readonly breakWith?: (cause: unknown) => unknown
  /** Whether a reader that leaves for this reason says that the source has failed. */
  readonly isFailure?: (reason: unknown) => boolean
}

/**
 * Passes a body through a tap chunk by chunk, unchanged and never ahead of its reader.
 *
 * A source that fails makes the tapped body fail too, never end: a cut answer must not look complete.
 *
 * @example
 * return new Response(passThrough(answer.body, new Tap({ onEnd })), answer)
 */
export function passThrough(
  source: ReadableStream<Uint8Array>,
  tap: Tap,
  { breakWith, isFailure }: PassOptions = {},
): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        tap.onWait()
        try {
          const { done, value } = await reader.read()
          if (done) {
            controller.close()
            tap.onDone()
            return
          }
          tap.onChunk(value)
          controller.enqueue(value)
        } catch (cause) {
          const farewell = tap.onFail(cause)
          if (farewell !== undefined) controller.enqueue(farewell)
          // Most often without a reason: Bun prints a stream's error, with its source, to stderr and past the log.
          controller.error(breakWith?.(cause))
        }
      },
      cancel(reason) {
        if (isFailure?.(reason) === true) tap.onFail(reason)
        else tap.onCancel()
        return reader.cancel(reason).catch(() => undefined)
      },
    },
    { highWaterMark: 0 },
  )
}
