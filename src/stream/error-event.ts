import { endsEvent } from '../formats/sse/event-boundary.ts'
import { ApiError } from '../openai/api-error.ts'

/**
 * The last event of a chat or text completion's stream that broke off: both official SDKs raise an error on it.
 *
 * Only where what was sent before (`tail` is its end) ends an event; in the midst of one, the break alone has to tell.
 */
export function errorEvent(tail: Uint8Array, cause: unknown): Uint8Array | undefined {
  if (!endsEvent(tail)) return undefined
  const { body } =
    cause instanceof ApiError
      ? cause
      : new ApiError('upstream_unreachable', { message: 'The upstream broke off before the stream was complete.' })
  return new TextEncoder().encode(`data: ${JSON.stringify(body)}\n\n`)
}
