import type { RetryCause } from '../../config/sections/retry.ts'
import type { Exchange } from '../../exchange/exchange.ts'
import { ignoreRejection } from '../../formats/ignore-rejection.ts'
import { ApiError } from '../../openai/api-error.ts'
import { backOffMs, isRetried } from '../targets/retry.ts'
import type { Deployment } from '../targets/router.ts'
import { isUpstreams } from './failure-of.ts'
import { hedge } from './hedge.ts'
import { isInTime } from './is-in-time.ts'
import { type AttemptOutcome, makeAttempt } from './make-attempt.ts'
import { others } from './others.ts'
import { ownAbort } from './own-abort.ts'
import type { AskDeps, RoutedRequest } from './routed-request.ts'
import { shareTime } from './share-time.ts'

/** An answer to be handed on, and the deployment that gave it. */
export interface TargetAnswer {
  readonly answer: Response
  readonly deployment: Deployment
}

/**
 * Asks the deployments of a route until one answers, as the route's settings say: one after the other, or a second one beside the
 * first where that is slow. The last failure is the answer where nothing is left to try.
 *
 * Throws an `ApiError` where no upstream answered. No attempt is made once a byte of an answer has gone to the client:
 * that begins when this function has returned.
 */
export function ask(request: RoutedRequest, deps: AskDeps): Promise<TargetAnswer> {
  const { route } = request
  const deployments = route.order(request)
  if (deployments.length > 1 || route.resilience.retry.attempts > 1) return askInTurn(request, deployments, deps)
  // Nothing is to be chosen, and so nothing is kept to choose by.
  return make(request, firstOf(deployments), NONE, NONE_TRIED, 1, deps).then((outcome) => conclude(request, outcome))
}

async function askInTurn(
  request: RoutedRequest,
  deployments: readonly Deployment[],
  deps: AskDeps,
): Promise<TargetAnswer> {
  let attemptsMax = attemptsFor(request)
  const tried = new Set<Deployment>()
  let step: Step | undefined = { deployment: firstOf(deployments), waitMs: 0, release: undefined }
  for (;;) {
    const outcome = await take(request, step, deployments, tried, attemptsMax, deps)
    if (outcome.cause === undefined) return conclude(request, outcome)
    // It has cost nothing, and rests: with another one, the request is where it was.
    if (outcome.cause === 'key_refused') attemptsMax += 1
    step = nextStep(request, deployments, tried, outcome, attemptsMax, deps)
    if (step === undefined) return conclude(request, outcome)
    discard(outcome)
  }
}

async function take(
  request: RoutedRequest,
  { deployment, waitMs, release }: Step,
  deployments: readonly Deployment[],
  tried: Set<Deployment>,
  attemptsMax: number,
  deps: AskDeps,
): Promise<AttemptOutcome> {
  tried.add(deployment)
  try {
    if (waitMs > 0) await deps.sleep(waitMs, request.exchange.abort.signal)
    return await make(request, deployment, deployments, tried, attemptsMax, deps)
  } finally {
    // Also where the client leaves during the wait: what is lent and not given back is lost to all.
    release?.()
  }
}

/** What is tried next: a deployment, after a time. */
interface Step {
  readonly deployment: Deployment
  readonly waitMs: number
  /** Gives back what the retry budget lent. */
  readonly release: (() => void) | undefined
}

/** The SDKs retry too: where one already does, a second try here would multiply the calls. */
function attemptsFor({ exchange, route, isReplayable }: RoutedRequest): number {
  if (!isReplayable) return 1
  const { attempts } = route.resilience.retry
  return attempts > 1 && isSdkRetry(exchange) ? 1 : attempts
}

function isSdkRetry({ request }: Exchange): boolean {
  return Number(request.headers.get('x-stainless-retry-count') ?? 0) > 0
}

function make(
  request: RoutedRequest,
  deployment: Deployment,
  deployments: readonly Deployment[],
  tried: Set<Deployment>,
  attemptsMax: number,
  deps: AskDeps,
): Promise<AttemptOutcome> {
  const { exchange, route, callFor } = request
  const settings = request.isOnce ? undefined : route.resilience.hedge
  const [second] = exchange.attempts + 1 < attemptsMax ? others(deployments, tried, request) : NONE
  if (settings !== undefined && second !== undefined) return hedge(request, [deployment, second], settings, tried, deps)
  // Where a timeout is followed by another attempt, it must not end the exchange.
  const isOwn = attemptsMax > 1 && mayFollow(request, 'timeout')
  const abort = isOwn ? ownAbort(exchange) : exchange.abort
  const heldUntil = second === undefined ? undefined : request.dueAt(deployment)
  const attempt = { exchange, deployment, call: callFor(deployment, abort), heldUntil }
  if (!isOwn || second === undefined) return makeAttempt(attempt, deps)
  const share = shareTime(request, [deployment, second], abort, deps)
  return makeAttempt(attempt, deps).finally(() => share.clear())
}

/** Whether another attempt may follow a failure: as the operator says, and where its caller relies on one, only where nothing can be billed. */
function mayFollow({ route, isOnce }: RoutedRequest, cause: RetryCause): boolean {
  return isRetried(route.resilience.retry, cause) && (!isOnce || UNBILLED.has(cause))
}

/** Chooses what is tried after a failure; undefined: nothing more. */
function nextStep(
  request: RoutedRequest,
  deployments: readonly Deployment[],
  tried: ReadonlySet<Deployment>,
  { deployment: failed, cause, isUnbilled, retryAfterMs }: AttemptOutcome,
  attemptsMax: number,
  deps: AskDeps,
): Step | undefined {
  const { exchange, route, isReplayable } = request
  const { retry } = route.resilience
  if (cause === undefined || exchange.abort.signal.aborted) return undefined
  const spent = (): undefined => {
    // The SDK would begin all of it anew. Where nothing was sent, or nothing is retried here, that is its own affair.
    if (exchange.attempts > 0 && isReplayable && retry.attempts > 1) exchange.shouldRetry = false
    return undefined
  }
  const untried = isReplayable
    ? others(deployments, tried, request).find((deployment) => isInTime(deployment, 0, request, deps))
    : undefined
  const another = untried === undefined ? undefined : { deployment: untried, waitMs: 0, release: undefined }
  if (cause === 'key_refused') return another
  const mayRepeat = cause !== 'busy' && mayFollow(request, cause)
  // Where this is the first attempt that failed, the SDK's retries are as good as without us.
  if (cause !== 'busy' && !isUnbilled && !mayRepeat) return exchange.attempts > 1 ? spent() : undefined
  if (exchange.attempts >= attemptsMax) return spent()
  if (another !== undefined) return another
  if (!mayRepeat) return spent()
  const backOff = backOffMs(retry, exchange.attempts - 1, retryAfterMs, deps.random)
  const waitMs = Math.max(backOff ?? Number.POSITIVE_INFINITY, failed.health.waitMs(request.accountOf(failed)))
  if (waitMs > Math.max(retry.retryAfterMaxMs, retry.maxMs) || !isInTime(failed, waitMs, request, deps)) return spent()
  const release = deps.retryBudget.tryTake(retry.budgetPercent)
  return release === undefined ? spent() : { deployment: failed, waitMs, release }
}

/** Nothing was sent, or it was refused (ADR 9). */
const UNBILLED: ReadonlySet<RetryCause> = new Set<RetryCause>(['connect', 429, 503, 529])
const NONE: readonly Deployment[] = []
const NONE_TRIED = new Set<Deployment>()

function conclude({ exchange, route, isReplayable }: RoutedRequest, outcome: AttemptOutcome): TargetAnswer {
  const { answer, error, cause, deployment, ms, end } = outcome
  if (cause === 'key_refused') {
    if (!isReplayable && route.deployments.some(({ health }) => health.isAvailable())) throw onceMore(error)
    exchange.shouldRetry = false
  }
  if (answer === undefined) throw error ?? new ApiError('upstream_unreachable')
  exchange.upstreamMs = ms
  exchange.upstream = deployment.upstream.name
  // What a client left says nothing of how it would have ended.
  exchange.atEnd((outcome) => end(outcome.kind === 'cancelled' ? undefined : isUpstreams(outcome)))
  return { answer, deployment }
}

/** An upload that can't be sent again from here can be by its SDK, to another key. */
function onceMore(cause: unknown): ApiError {
  return new ApiError('upstream_unavailable', {
    message:
      'A key of this server was refused, and your upload can’t be sent again from here. Please retry: another key is asked then.',
    cause,
  })
}

/** Closes what an answer that is not handed on would still send. */
function discard({ answer, end }: AttemptOutcome): void {
  void ignoreRejection(answer?.body?.cancel())
  end()
}

function firstOf(deployments: readonly Deployment[]): Deployment {
  const [first] = deployments
  if (first === undefined) throw new ApiError('upstream_unavailable')
  return first
}
