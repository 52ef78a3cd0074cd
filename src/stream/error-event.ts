import { ApiError } from '../openai/api-error.ts'
import { endsEvent } from './sse-ping.ts'

/**
 * The last event of a chat or text completion's stream that broke off: both official SDKs raise an error on it.
 *
 * Only where what was sent before ends an event; in the midst of one, the break alone has to tell.
 */
export function errorEvent(tail: Uint8Array | undefined): Uint8Array | undefined {
  if (tail !== undefined && !endsEvent(tail)) return undefined
  const { body } = new ApiError('upstream_unreachable', {
    message: 'The upstream broke off before the stream was complete.',
  })
  return new TextEncoder().encode(`data: ${JSON.stringify(body)}\n\n`)
}
