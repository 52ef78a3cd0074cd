import type { Exchange } from '../exchange.ts'
import { ApiError } from '../openai/api-error.ts'
import { backOffMs, isRetried } from '../router/retry.ts'
import type { Lane } from '../router/router.ts'
import type { AskDeps, Asked } from './asked.ts'
import { type Attempted, attempt } from './attempt.ts'
import { isUpstreams } from './failure-of.ts'
import { hedge } from './hedge.ts'
import { isInTime } from './is-in-time.ts'
import { ownAbort } from './own-abort.ts'

/** An answer to be handed on, and the lane that gave it. */
export interface Answered {
  readonly answer: Response
  readonly lane: Lane
  readonly secret: string | undefined
}

/**
 * Asks the lanes of a route until one answers, as the route's settings say: one after the other, or a second one beside the
 * first where that is slow. The last failure is the answer where nothing is left to try.
 *
 * Throws an `ApiError` where no upstream answered. No attempt is made once a byte of an answer has gone to the client:
 * that begins when this function has returned.
 */
export function ask(asked: Asked, deps: AskDeps): Promise<Answered> {
  const { exchange, route } = asked
  const lanes = route.order(asked)
  if (lanes.length > 1 || route.sending.retry.attempts > 1) return askInTurn(asked, lanes, deps)
  // Nothing is to be chosen, and so nothing is kept to choose by.
  return make(asked, firstOf(lanes), NONE, NONE_TRIED, 1, deps).then((outcome) => conclude(exchange, outcome))
}

async function askInTurn(asked: Asked, lanes: readonly Lane[], deps: AskDeps): Promise<Answered> {
  const { exchange } = asked
  const attemptsMax = attemptsFor(asked)
  const tried = new Set<Lane>()
  let step: Step | undefined = { lane: firstOf(lanes), waitMs: 0, release: undefined }
  for (;;) {
    const outcome = await take(asked, step, lanes, tried, attemptsMax, deps)
    if (outcome.cause === undefined) return conclude(exchange, outcome)
    step = nextStep(asked, lanes, tried, outcome, attemptsMax, deps)
    if (step === undefined) return conclude(exchange, outcome)
    discard(outcome)
  }
}

async function take(
  asked: Asked,
  { lane, waitMs, release }: Step,
  lanes: readonly Lane[],
  tried: Set<Lane>,
  attemptsMax: number,
  deps: AskDeps,
): Promise<Attempted> {
  tried.add(lane)
  try {
    if (waitMs > 0) await deps.sleep(waitMs, asked.exchange.abort.signal)
    return await make(asked, lane, lanes, tried, attemptsMax, deps)
  } finally {
    // Also where the client leaves during the wait: what is lent and not given back is lost to all.
    release?.()
  }
}

/** What is tried next: a lane, after a time. */
interface Step {
  readonly lane: Lane
  readonly waitMs: number
  /** Gives back what the retry budget lent. */
  readonly release: (() => void) | undefined
}

/** The SDKs retry too: where one already does, a second try here would multiply the calls. */
function attemptsFor({ exchange, route, isReplayable }: Asked): number {
  if (!isReplayable) return 1
  const { attempts } = route.sending.retry
  return attempts > 1 && isSdkRetry(exchange) ? 1 : attempts
}

function isSdkRetry({ request }: Exchange): boolean {
  return Number(request.headers.get('x-stainless-retry-count') ?? 0) > 0
}

function make(
  asked: Asked,
  lane: Lane,
  lanes: readonly Lane[],
  tried: Set<Lane>,
  attemptsMax: number,
  deps: AskDeps,
): Promise<Attempted> {
  const { exchange, route, endpoint, callFor } = asked
  const settings = route.sending.hedge
  if (settings !== undefined && exchange.attempts + 1 < attemptsMax) {
    const [second] = others(lanes, tried)
    if (second !== undefined) return hedge(asked, [lane, second], settings, tried, deps)
  }
  // Where a timeout is followed by another attempt, it must not end the exchange.
  const isOwn = attemptsMax > 1 && isRetried(route.sending.retry, 'timeout')
  const abort = isOwn ? ownAbort(exchange) : exchange.abort
  return attempt({ exchange, endpoint, lane, call: callFor(lane, abort) }, deps)
}

/** Chooses what is tried after a failure; undefined: nothing more. */
function nextStep(
  asked: Asked,
  lanes: readonly Lane[],
  tried: ReadonlySet<Lane>,
  { lane: failed, cause, retryAfterMs }: Attempted,
  attemptsMax: number,
  deps: AskDeps,
): Step | undefined {
  const { exchange, route, isReplayable } = asked
  const { retry } = route.sending
  if (cause === undefined || exchange.abort.signal.aborted) return undefined
  const spent = (): undefined => {
    // The SDK would begin all of it anew. Where nothing was sent, or nothing is retried here, that is its own affair.
    if (exchange.attempts > 0 && isReplayable && retry.attempts > 1) exchange.shouldRetry = false
    return undefined
  }
  // Where this is the first attempt that failed, the SDK's retries are as good as without us.
  if (cause !== 'busy' && !isRetried(retry, cause)) return exchange.attempts > 1 ? spent() : undefined
  if (exchange.attempts >= attemptsMax) return spent()
  const untried = others(lanes, tried)[0]
  if (untried !== undefined && isInTime(untried, 0, asked, deps))
    return { lane: untried, waitMs: 0, release: undefined }
  if (cause === 'busy') return spent()
  const backOff = backOffMs(retry, exchange.attempts - 1, retryAfterMs, deps.random)
  const waitMs = Math.max(backOff ?? Number.POSITIVE_INFINITY, failed.health.waitMs())
  if (waitMs > Math.max(retry.retryAfterMaxMs, retry.maxMs) || !isInTime(failed, waitMs, asked, deps)) return spent()
  const release = deps.retryBudget.tryTake(retry.budgetPercent)
  return release === undefined ? spent() : { lane: failed, waitMs, release }
}

function others(lanes: readonly Lane[], tried: ReadonlySet<Lane>): readonly Lane[] {
  return lanes.length === 1 ? NONE : lanes.filter((lane) => !tried.has(lane) && lane.health.isAvailable())
}

const NONE: readonly Lane[] = []
const NONE_TRIED = new Set<Lane>()

function conclude(exchange: Exchange, { answer, error, lane, secret, ms, end }: Attempted): Answered {
  if (answer === undefined) throw error ?? new ApiError('upstream_unreachable')
  exchange.upstreamMs = ms
  exchange.upstream = lane.upstream.name
  exchange.atEnd((outcome) => end(isUpstreams(outcome)))
  return { answer, lane, secret }
}

/** Closes what an answer that is not handed on would still send. */
function discard({ answer, end }: Attempted): void {
  answer?.body?.cancel().catch(() => undefined)
  end()
}

function firstOf(lanes: readonly Lane[]): Lane {
  const [first] = lanes
  if (first === undefined) throw new ApiError('upstream_unavailable')
  return first
}
