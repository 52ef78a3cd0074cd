import type { Exchange } from '../../exchange/exchange.ts'
import { maySpeakOfKey } from '../../openai/key-refusal.ts'
import type { Lane } from '../targets/router.ts'
import type { Answered } from './ask.ts'
import { judgeAnswer } from './judge-answer.ts'
import type { AttemptDeps, LaneCall } from './lane-call.ts'
import { restKey } from './warn-of-key.ts'

/**
 * Sends a call to the one lane that there is: where no file says what goes where, nothing is chosen, limited or tried again,
 * and nobody asks how the lane fares.
 *
 * Throws the upstream's failure, and `upstream_key_refused`.
 */
export async function askOnce(exchange: Exchange, lane: Lane, call: LaneCall, deps: AttemptDeps): Promise<Answered> {
  exchange.attempts += 1
  exchange.upstream = lane.upstream.name
  const sentAt = deps.now()
  const sending = deps.send(call)
  exchange.connection = call.connection
  const answer = await sending
  exchange.upstreamMs = deps.now() - sentAt
  if (call.secret === undefined || !maySpeakOfKey(answer.status)) return { answer, lane }
  return { answer: await assertKeyAccepted(exchange, lane, call, answer, deps), lane }
}

/** Gives an answer to the server's key as it came, unless it says that the key is not good. */
async function assertKeyAccepted(
  exchange: Exchange,
  lane: Lane,
  call: LaneCall,
  answer: Response,
  deps: AttemptDeps,
): Promise<Response> {
  const attempted = { exchange, endpoint: undefined, lane, call }
  const judged = await judgeAnswer(attempted, answer, deps)
  if (judged.key !== undefined) restKey(lane, { status: answer.status, isSpent: judged.key === 'spent' }, deps.log)
  if (judged.error === undefined) return judged.answer ?? answer
  exchange.shouldRetry = false
  throw judged.error
}
