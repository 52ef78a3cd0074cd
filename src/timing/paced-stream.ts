import type { Sleep } from './deadlines.ts'

/** How fast a kept answer is given: all at once, or with the times between its chunks as they were. */
export type Pace = 'instant' | 'original'

/** A chunk of a body, with the time at which it came. */
export interface TimedChunk {
  readonly bytes: Uint8Array
  /** The time since the head, in milliseconds. */
  readonly atMs: number
}

/** The clock and the sleep for recorded times. */
export interface PaceDeps {
  readonly sleep: Sleep
  /** A monotonic time in milliseconds. */
  readonly now: () => number
}

/**
 * Makes a body of the given chunks, one each time that its reader asks. Each comes no sooner after the body was first asked for
 * than it came after its head, so that a slow reader does not make it slower; without `deps` there is no wait.
 *
 * @example
 * const body = pacedStream(answer.chunks, { sleep, now })
 */
export function pacedStream(chunks: Iterable<TimedChunk>, deps: PaceDeps | undefined): ReadableStream<Uint8Array> {
  const left = new AbortController()
  const rest = chunks[Symbol.iterator]()
  let startedAt: number | undefined
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        startedAt ??= deps?.now()
        const { done, value } = rest.next()
        if (done === true) return controller.close()
        const waitMs = deps === undefined || startedAt === undefined ? 0 : startedAt + value.atMs - deps.now()
        try {
          if (waitMs > 0) await deps?.sleep(waitMs, left.signal)
        } catch {
          // Only the reader's leaving ends a wait early.
        }
        if (!left.signal.aborted) controller.enqueue(value.bytes)
      },
      cancel: () => left.abort(),
    },
    { highWaterMark: 0 },
  )
}
