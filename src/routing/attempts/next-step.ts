import type { RetryCause } from '../../config/sections/retry.ts'
import type { Exchange } from '../../exchange/exchange.ts'
import { backOffMs, isRetried } from '../targets/retry.ts'
import type { Deployment } from '../targets/router.ts'
import type { AttemptOutcome } from './make-attempt.ts'
import type { AskDeps, RoutedRequest } from './routed-request.ts'

/** The next attempt: a deployment, and how long to wait before it is asked. */
export interface NextStep {
  readonly deployment: Deployment
  readonly waitMs: number
  /** Gives back what the retry budget lent; undefined: it lent nothing. */
  readonly release: (() => void) | undefined
}

/** Failures of attempts that can't be billed: nothing was sent, or the upstream refused it (ADR 9). */
const UNBILLED: ReadonlySet<RetryCause> = new Set<RetryCause>(['connect', 429, 503, 529])
const NONE: readonly Deployment[] = []

/** Chooses the next attempt after a failure; undefined: there is none. */
export function nextStep(
  request: RoutedRequest,
  deployments: readonly Deployment[],
  tried: ReadonlySet<Deployment>,
  { deployment: failed, cause, isUnbilled, retryAfterMs }: AttemptOutcome,
  attemptsMax: number,
  deps: AskDeps,
): NextStep | undefined {
  const { exchange, route, isReplayable } = request
  const { retry } = route.resilience
  if (cause === undefined || exchange.abort.signal.aborted) return undefined
  const spent = (): undefined => {
    // A retry by the SDK would start all attempts anew. Where nothing was sent, or nothing is retried here, the SDK may decide.
    if (exchange.attempts > 0 && isReplayable && retry.attempts > 1) exchange.shouldRetry = false
    return undefined
  }
  const next = isReplayable
    ? untriedOf(deployments, tried, request).find((deployment) => isInTime(deployment, 0, request, deps))
    : undefined
  const another = next === undefined ? undefined : { deployment: next, waitMs: 0, release: undefined }
  if (cause === 'key_refused') return another
  const mayRepeat = cause !== 'busy' && mayFollow(request, cause)
  // After a first failed attempt, the SDK's own retries do what they would do without this server.
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

/**
 * The number of attempts that a request may have. SDKs retry, too: where one already does, retries here would multiply the calls.
 */
export function attemptsMaxOf({ exchange, route, isReplayable }: RoutedRequest): number {
  if (!isReplayable) return 1
  const { attempts } = route.resilience.retry
  return attempts > 1 && isSdkRetry(exchange) ? 1 : attempts
}

function isSdkRetry({ request }: Exchange): boolean {
  return Number(request.headers.get('x-stainless-retry-count') ?? 0) > 0
}

/**
 * Tells whether another attempt may follow a failure: as the operator says, but where the caller relies on one attempt only
 * where the failed one can't be billed.
 */
export function mayFollow({ route, isOnce }: RoutedRequest, cause: RetryCause): boolean {
  return isRetried(route.resilience.retry, cause) && (!isOnce || UNBILLED.has(cause))
}

/** The deployments, in their order, that a request has not tried yet and that are available now. */
export function untriedOf(
  deployments: readonly Deployment[],
  tried: ReadonlySet<Deployment>,
  { accountOf }: Pick<RoutedRequest, 'accountOf'>,
): readonly Deployment[] {
  if (deployments.length === 1) return NONE
  return deployments.filter(
    (deployment) => !tried.has(deployment) && deployment.health.isAvailable(accountOf(deployment)),
  )
}

/** Tells whether a deployment that is asked after a wait usually answers before its own time limit and the client's. */
export function isInTime(
  deployment: Deployment,
  waitMs: number,
  { dueAt }: Pick<RoutedRequest, 'dueAt'>,
  { now }: AskDeps,
): boolean {
  const due = dueAt(deployment)
  return due === Number.POSITIVE_INFINITY || now() + waitMs + (deployment.health.percentile(50) ?? 0) < due
}
