import type { Source } from '../cache/flight.ts'
import { forkExchange } from '../fork-exchange.ts'
import { ApiError } from '../openai/api-error.ts'
import { passThrough, Tap } from '../stream/tap.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import type { FlightNote, ReuseRequest } from './reuse-request.ts'

/**
 * Asks the targets for all who wait for the answer: the call ends when the flight's signal says so, and not with the exchange
 * that began it.
 */
export async function flyOut(
  { exchange, forward, streamIdleMsOf }: ReuseRequest,
  signal: AbortSignal,
  { deadlines }: { readonly deadlines: Deadlines },
): Promise<Source<FlightNote>> {
  const abort = new AbortController()
  const follow = (): void => abort.abort(signal.reason)
  if (signal.aborted) follow()
  signal.addEventListener('abort', follow, { once: true })
  const fork = forkExchange(exchange, { abort })
  try {
    const { answer, lane, secret } = await forward(fork)
    const note = { lane, secret }
    if (answer.body === null) {
      fork.end({ kind: 'complete' })
      return { answer, note }
    }
    // Those who read it have clocks of their own; where nobody does, this is the only one.
    const idle = deadlines.start(streamIdleMsOf(lane), () => abort.abort(new ApiError('upstream_timeout')))
    const tap = new Tap({ idle, onEnd: (outcome) => fork.end(outcome) })
    return { answer: new Response(passThrough(answer.body, tap), answer), note }
  } catch (cause) {
    fork.end({ kind: 'failed', cause })
    throw cause
  } finally {
    fork.tell(exchange)
  }
}
