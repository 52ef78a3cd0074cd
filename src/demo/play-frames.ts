import { sleep, untilAborted } from './sleep.ts'

/** How a body is sent: in which rhythm, and how it ends. */
export interface Playing {
  /** Between one frame and the next, in milliseconds; 0: as fast as they are taken. */
  readonly delayMs: number
  /** `close`: cleanly. `reset`: broken off. `stall`: never, until the reader leaves. */
  readonly ending: 'close' | 'reset' | 'stall'
  /** Of the request: aborted when the client leaves. */
  readonly signal: AbortSignal
}

/** A body that gives one frame for each time it is read; no timer outlives its reader. */
export function playFrames(frames: readonly Uint8Array[], { delayMs, ending, signal }: Playing) {
  const stopped = new AbortController()
  const stop = () => stopped.abort()
  signal.addEventListener('abort', stop, { once: true })
  let sent = 0

  async function pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    signal.throwIfAborted()
    if (sent > 0 && delayMs > 0) await sleep(delayMs, stopped.signal)
    const frame = frames[sent]
    if (frame !== undefined) {
      controller.enqueue(frame)
      sent += 1
    }
    if (sent < frames.length) return
    if (ending === 'stall') await untilAborted(stopped.signal)
    // A runtime may hold back what it was given in this turn: without the pause the frames would be lost in the reset.
    if (ending === 'reset') await sleep(20, stopped.signal)
    signal.removeEventListener('abort', stop)
    if (ending === 'reset') controller.error(undefined)
    else controller.close()
  }

  return new ReadableStream<Uint8Array>(
    {
      // A reason would not reach the client, but servers print it, with its source: the body breaks off without one.
      pull: (controller) => pull(controller).catch(() => controller.error(undefined)),
      cancel() {
        signal.removeEventListener('abort', stop)
        stop()
      },
    },
    { highWaterMark: 0 },
  )
}
