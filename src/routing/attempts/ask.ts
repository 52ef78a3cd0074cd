import { ignoreRejection } from '../../formats/ignore-rejection.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Deployment } from '../targets/deployment.ts'
import type { AskDeps, RoutedRequest } from './attempt.ts'
import { shareClientTime } from './client-clock.ts'
import { isUpstreamsFault } from './failure-of.ts'
import { hedge } from './hedge.ts'
import { type AttemptOutcome, makeAttempt, ownAbort } from './make-attempt.ts'
import { attemptsMaxOf, type Choices, mayFollow, type NextStep, nextStep, untriedOf } from './next-step.ts'

/** The answer to hand on, and the deployment that gave it. */
export interface TargetAnswer {
  readonly answer: Response
  readonly deployment: Deployment
}

/**
 * Asks the deployments of a route until one answers, as the route's settings say: one after the other, or a second one beside a
 * slow first one. Where no attempt is left, the last failure is the answer.
 *
 * Throws an `ApiError` where no upstream answered. The client gets the first byte after this function has returned, so no attempt
 * follows one whose answer the client has seen.
 */
export function ask(request: RoutedRequest, deps: AskDeps): Promise<TargetAnswer> {
  const { route } = request
  const deployments = route.order(request)
  if (deployments.length > 1 || route.resilience.retry.attempts > 1) return askInTurn(request, deployments, deps)
  // There is one deployment and one attempt, so nothing is kept to choose by.
  return attemptOrHedge(request, firstOf(deployments), NO_CHOICE, deps).then((outcome) => conclude(request, outcome))
}

async function askInTurn(
  request: RoutedRequest,
  deployments: readonly Deployment[],
  deps: AskDeps,
): Promise<TargetAnswer> {
  const choices: Choices = { deployments, tried: new Set(), attemptsMax: attemptsMaxOf(request) }
  let step: NextStep | undefined = { deployment: firstOf(deployments), waitMs: 0, release: undefined }
  for (;;) {
    const outcome = await takeStep(request, step, choices, deps)
    if (outcome.cause === undefined) return conclude(request, outcome)
    // A refused key has cost nothing, and rests: its attempt does not count.
    if (outcome.cause === 'key_refused') choices.attemptsMax += 1
    step = nextStep(request, choices, outcome, deps)
    if (step === undefined) return conclude(request, outcome)
    discard(outcome)
  }
}

/** Makes the attempt of a step, after its wait. */
async function takeStep(
  request: RoutedRequest,
  { deployment, waitMs, release }: NextStep,
  choices: Choices,
  deps: AskDeps,
): Promise<AttemptOutcome> {
  choices.tried.add(deployment)
  try {
    if (waitMs > 0) await deps.sleep(waitMs, request.exchange.abort.signal)
    return await attemptOrHedge(request, deployment, choices, deps)
  } finally {
    // Also where the client leaves during the wait: a loan that is not given back is lost to all requests.
    release?.()
  }
}

/** Makes one attempt at a deployment, or two side by side where the route hedges. */
function attemptOrHedge(
  request: RoutedRequest,
  deployment: Deployment,
  choices: Choices,
  deps: AskDeps,
): Promise<AttemptOutcome> {
  const { exchange, route, callFor } = request
  const { attemptsMax } = choices
  const settings = request.hasIdempotencyKey ? undefined : route.resilience.hedge
  const [second] = exchange.attempts + 1 < attemptsMax ? untriedOf(choices, request) : NONE
  if (settings !== undefined && second !== undefined)
    return hedge(request, [deployment, second], settings, choices.tried, deps)
  // A timeout that another attempt follows must not end the exchange.
  const isOwn = attemptsMax > 1 && mayFollow(request, 'timeout')
  const abort = isOwn ? ownAbort(exchange) : exchange.abort
  const heldUntil = second === undefined ? undefined : request.dueAt(deployment)
  const attempt = { exchange, deployment, call: callFor(deployment, abort), heldUntil }
  if (!isOwn || second === undefined) return makeAttempt(attempt, deps)
  const share = shareClientTime(request, [deployment, second], abort, deps)
  return makeAttempt(attempt, deps).finally(() => share.clear())
}

const NONE: readonly Deployment[] = []
/** The choices of a request with one attempt at one deployment: nothing is added to them. */
const NO_CHOICE: Choices = { deployments: NONE, tried: new Set(), attemptsMax: 1 }

/** Makes the answer, or the error, of the last attempt's outcome, and notes it at the exchange. */
function conclude({ exchange, route, isReplayable }: RoutedRequest, outcome: AttemptOutcome): TargetAnswer {
  const { answer, error, cause, deployment, ms, end } = outcome
  if (cause === 'key_refused') {
    if (!isReplayable && route.deployments.some(({ health }) => health.isAvailable())) throw onceMore(error)
    exchange.shouldRetry = false
  }
  if (answer === undefined) throw error ?? new ApiError('upstream_unreachable')
  exchange.upstreamMs = ms
  exchange.upstream = deployment.upstream.name
  // An answer that the client left does not show how it would have ended.
  exchange.atEnd((ended) => end(ended.kind === 'cancelled' ? undefined : isUpstreamsFault(ended)))
  return { answer, deployment }
}

/** The error of an upload that can't be sent again from here, but by its SDK, to another key. */
function onceMore(cause: unknown): ApiError {
  return new ApiError('upstream_unavailable', {
    message:
      'A key of this server was refused, and your upload can’t be sent again from here. Please retry: another key is asked then.',
    cause,
  })
}

/** Closes an answer that is not handed on, and gives its place back. */
function discard({ answer, end }: AttemptOutcome): void {
  void ignoreRejection(answer?.body?.cancel())
  end()
}

function firstOf(deployments: readonly Deployment[]): Deployment {
  const [first] = deployments
  if (first === undefined) throw new ApiError('upstream_unavailable')
  return first
}
