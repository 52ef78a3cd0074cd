import { endsEvent, lastBytes } from '../formats/sse/event-boundary.ts'
import type { Deadlines } from '../timing/deadlines.ts'

const PING = new TextEncoder().encode(': ping\n\n')

/**
 * Puts `: ping` comments into an event stream while it is silent, only at event boundaries, for load
 * balancers that cut silent connections. Every byte of the source goes on unchanged.
 *
 * @example
 * const body = keepAlive(answer.body, config.ssePingMs, deadlines)
 */
export function keepAlive(
  source: ReadableStream<Uint8Array>,
  everyMs: number,
  deadlines: Deadlines,
): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  let tail: Uint8Array = new Uint8Array()

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // A ping that nobody has taken yet makes the next one pointless.
        const ping = (): void => {
          if (endsEvent(tail) && controller.desiredSize === 0) controller.enqueue(PING)
          timer = deadlines.start(everyMs, ping)
        }
        let timer = deadlines.start(everyMs, ping)
        try {
          const { done, value } = await reader.read()
          timer.clear()
          if (done) return controller.close()
          tail = lastBytes(tail, value)
          controller.enqueue(value)
        } finally {
          timer.clear()
        }
      },
      cancel: (reason) => reader.cancel(reason).catch(() => undefined),
    },
    { highWaterMark: 0 },
  )
}
