import type { Exchange } from '../../exchange/exchange.ts'
import { maySpeakOfKey } from '../../openai/key-refusal.ts'
import { upstreamFailure } from '../../upstream/failure.ts'
import type { Deployment } from '../targets/deployment.ts'
import type { AttemptDeps, DeploymentCall } from './attempt.ts'
import { judgeAnswer } from './judge-answer.ts'
import { noteFailure } from './sent-call.ts'
import { restKey } from './warn-of-key.ts'

/**
 * Sends a call to the only deployment. Without a configuration file nothing is chosen, limited or tried again, and nobody asks
 * for the deployment's health.
 *
 * Throws the upstream's failure, and `upstream_key_refused`.
 */
export async function askOnce(
  exchange: Exchange,
  deployment: Deployment,
  call: DeploymentCall,
  deps: AttemptDeps,
): Promise<Response> {
  exchange.attempts += 1
  exchange.upstream = deployment.upstream.name
  const sentAt = deps.now()
  const sent = call.watch?.onSend(deployment, sentAt)
  const sending = deps.send(call)
  exchange.connection = call.connection
  let answer: Response
  try {
    answer = await (exchange.hasAttemptObserver ? noteAttempt(sending, exchange, deployment, deps) : sending)
  } catch (thrown) {
    noteFailure(sent, upstreamFailure(thrown), deps.now())
    throw thrown
  }
  exchange.upstreamMs = deps.now() - sentAt
  if (sent !== undefined && answer.status >= 400) sent.isBilled = false
  if (call.spentKey === undefined || !maySpeakOfKey(answer.status)) return answer
  return assertKeyAccepted(exchange, deployment, call, answer, deps)
}

/** Reports an attempt to the exchange's observers, and gives its answer. */
async function noteAttempt(
  sending: Promise<Response>,
  exchange: Exchange,
  { label }: Deployment,
  { now }: AttemptDeps,
): Promise<Response> {
  const sentAt = now()
  const note = (status: number | undefined, why?: string): void =>
    exchange.onAttempt({ target: label, status, ms: Math.round(now() - sentAt), why })
  try {
    const answer = await sending
    note(answer.status)
    return answer
  } catch (thrown) {
    note(undefined, upstreamFailure(thrown).kind)
    throw thrown
  }
}

/** Returns an answer as it came, unless it refuses the server's key. */
async function assertKeyAccepted(
  exchange: Exchange,
  deployment: Deployment,
  call: DeploymentCall,
  answer: Response,
  deps: AttemptDeps,
): Promise<Response> {
  const attempted = { exchange, deployment, call }
  const judged = await judgeAnswer(attempted, answer, deps)
  if (judged.key !== undefined)
    restKey(deployment, { status: answer.status, isSpent: judged.key === 'spent' }, deps.log)
  if (judged.error === undefined) return judged.answer ?? answer
  exchange.shouldRetry = false
  throw judged.error
}
