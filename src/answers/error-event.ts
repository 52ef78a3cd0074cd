import { endsEvent } from '../formats/sse/event-boundary.ts'
import { ApiError } from '../openai/api-error.ts'

/** Agents decide by these words whether they try again: pi 1.6.0 does on "connection closed". */
const CLOSED = 'Upstream connection closed before the stream was complete.'

/**
 * The last event of a chat or text completion's stream that broke off: both official SDKs raise an error on it. It has no
 * `event` line, behind which go-openai 1.43.0 loses the error's words.
 *
 * Only where what was sent before (`tail` is its end) ends an event; in the midst of one, the break alone has to tell.
 */
export function errorEvent(tail: Uint8Array, cause: unknown): Uint8Array | undefined {
  if (!endsEvent(tail)) return undefined
  const isTold = cause instanceof ApiError && cause.kind !== 'upstream_unreachable'
  const { body } = isTold ? cause : new ApiError('upstream_unreachable', { message: CLOSED })
  return new TextEncoder().encode(`data: ${JSON.stringify(body)}\n\n`)
}
