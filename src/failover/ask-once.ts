import type { Exchange } from '../exchange.ts'
import type { Lane } from '../router/router.ts'
import type { Answered } from './ask.ts'
import type { AttemptDeps, LaneCall } from './attempt.ts'

/**
 * Sends a call to the one lane that there is: where no file says what goes where, nothing is chosen, limited or tried again,
 * and nobody asks how the lane fares.
 *
 * Throws the upstream's failure.
 */
export async function askOnce(exchange: Exchange, lane: Lane, call: LaneCall, deps: AttemptDeps): Promise<Answered> {
  exchange.attempts += 1
  exchange.upstream = lane.upstream.name
  const sentAt = deps.now()
  const answer = await deps.send(call)
  exchange.upstreamMs = deps.now() - sentAt
  return { answer, lane, secret: call.secret }
}
