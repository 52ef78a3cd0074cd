import type { Deadline } from '../timing/deadlines.ts'
import { lastBytes } from './event-boundary.ts'
import type { Outcome } from './outcome.ts'

/** What a tap tells while a body passes through it. */
export interface TapWatch {
  /** Called once, before the first chunk goes on. */
  readonly onFirstChunk?: () => void
  /** Called exactly once, when the body has ended in any way; `bytes` is what went through. */
  readonly onEnd: (outcome: Outcome, bytes: number) => void
  /** Runs only while the source is being waited for: a slow reader never counts as a silent source. */
  readonly idle?: Deadline
  /** The last bytes to send when the source fails, if what was sent before (`tail` is its end) allows any. */
  readonly farewell?: (tail: Uint8Array, cause: unknown) => Uint8Array | undefined
}

/**
 * Passes a body through chunk by chunk, unchanged and never ahead of its reader, and reports its end once.
 *
 * A source that fails makes the tapped body fail too, never end: a cut answer must not look complete.
 *
 * @example
 * return new Response(tap(answer.body, { onEnd: (outcome, bytes) => record(outcome, bytes) }), answer)
 */
export function tap(source: ReadableStream<Uint8Array>, watch: TapWatch): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  let bytes = 0
  let tail: Uint8Array = new Uint8Array()
  let ended = false

  const end = (outcome: Outcome): void => {
    if (ended) return
    ended = true
    watch.idle?.clear()
    watch.onEnd(outcome, bytes)
  }

  const fail = (controller: ReadableStreamDefaultController<Uint8Array>, cause: unknown): void => {
    const farewell = watch.farewell?.(tail, cause)
    if (farewell !== undefined && !ended) controller.enqueue(farewell)
    end({ kind: 'failed', cause })
    // Without a reason: Bun prints a stream's error, with its source, to stderr and past the log.
    controller.error(undefined)
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        watch.idle?.touch()
        try {
          const { done, value } = await reader.read()
          if (done) {
            controller.close()
            end({ kind: 'complete' })
            return
          }
          watch.idle?.suspend()
          if (bytes === 0 && value.byteLength > 0) watch.onFirstChunk?.()
          bytes += value.byteLength
          if (watch.farewell !== undefined) tail = lastBytes(tail, value)
          controller.enqueue(value)
        } catch (cause) {
          // A cancelled tap cancels its reader, whose pending read then fails: that is no failure of the source.
          if (!ended) fail(controller, cause)
        }
      },
      cancel(reason) {
        end({ kind: 'cancelled' })
        return reader.cancel(reason).catch(() => undefined)
      },
    },
    { highWaterMark: 0 },
  )
}
