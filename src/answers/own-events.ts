import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { endsEvent, lastBytes } from '../formats/sse/event-boundary.ts'
import { writeEvent } from '../formats/sse/write-event.ts'
import { ApiError } from '../openai/api-error.ts'
import { anthropicErrorOf, type Protocol } from '../openai/protocol.ts'
import type { Deadlines } from '../timing/deadlines.ts'

/**
 * A line that is a field without a known name, which every reader of event streams skips (WHATWG HTML §9.2.6). It is no comment:
 * go-openai 1.43.0 loses the words of a later error behind one; and no blank line: openai-python 3.57.0 takes one for an event
 * without data if the upstream has sent an `id`, and fails.
 */
const PING = new TextEncoder().encode(' \n')

/**
 * Puts empty fields into an event stream while it is silent, for load balancers that cut silent connections. They come only between
 * events, and every byte of the source goes on unchanged.
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
      cancel: (reason) => ignoreRejection(reader.cancel(reason)),
    },
    { highWaterMark: 0 },
  )
}

/** Agents decide by these words whether they try again: pi 1.6.0 does on "connection closed". */
const CLOSED = 'Upstream connection closed before the stream was complete.'

/**
 * The last event of a completion's or message's stream that broke off: the official SDKs raise an error on it. OpenAI's has no
 * `event` line, behind which go-openai 1.43.0 loses the error's words; Anthropic's has one, without which its SDKs pass it by.
 *
 * undefined if the bytes sent before (`tail` is their end) do not end an event: in the midst of one, only the break can tell.
 */
export function errorEvent(
  tail: Uint8Array,
  cause: unknown,
  { protocol, id }: { readonly protocol: Protocol; readonly id: string },
): Uint8Array | undefined {
  if (!endsEvent(tail)) return undefined
  const isTold = cause instanceof ApiError && cause.kind !== 'upstream_unreachable'
  const error = isTold ? cause : new ApiError('upstream_unreachable', { message: CLOSED })
  if (protocol === 'openai') return writeEvent({ data: JSON.stringify(error.body) })
  return writeEvent({ event: 'error', data: JSON.stringify(anthropicErrorOf(error, id)) })
}
