import type { Deadlines } from '../timing/deadlines.ts'

const PING = new TextEncoder().encode(': ping\n\n')
const LF = 0x0a
const CR = 0x0d
/** The longest line ending pair is CR LF CR LF; its last three bytes tell it from the others. */
const BOUNDARY_BYTES = 3

/**
 * Tells whether a stream that ends with these bytes stands at an event boundary: at its very start, or behind
 * a blank line in any of the three spellings (WHATWG HTML §9.2.5).
 */
export function endsEvent(tail: Uint8Array): boolean {
  if (tail.byteLength === 0) return true
  const [third, second, last] = [tail.at(-3), tail.at(-2), tail.at(-1)]
  if (last === LF) return second === LF || (second === CR && third === LF)
  return last === CR && second === CR
}

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
          if (endsEvent(tail) && (controller.desiredSize ?? 0) >= 0) controller.enqueue(PING)
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

function lastBytes(before: Uint8Array, chunk: Uint8Array): Uint8Array {
  if (chunk.byteLength >= BOUNDARY_BYTES) return chunk.slice(-BOUNDARY_BYTES)
  return new Uint8Array([...before, ...chunk].slice(-BOUNDARY_BYTES))
}
