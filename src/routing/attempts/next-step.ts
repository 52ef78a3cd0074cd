import type { RetryCause, RetrySettings } from '../../config/sections/retry.ts'
import type { Exchange } from '../../exchange/exchange.ts'
import type { Deployment } from '../targets/deployment.ts'
import type { Route } from '../targets/router.ts'
import type { AskDeps, RoutedRequest } from './attempt.ts'
import type { AttemptOutcome } from './make-attempt.ts'

/** The next attempt: a deployment, and how long to wait before it is asked. */
export interface NextStep {
  readonly deployment: Deployment
  readonly waitMs: number
  /** Gives back what the retry budget lent; undefined: it lent nothing. */
  readonly release: (() => void) | undefined
}

/** Failures of attempts that can't be billed: nothing was sent, or the upstream refused it (ADR 9). */
const UNBILLED: ReadonlySet<RetryCause> = new Set<RetryCause>(['connect', 429, 503, 529])
/** Failures of attempts that the upstream may have worked on, and bills. */
const BILLED: ReadonlySet<RetryCause> = new Set<RetryCause>(['timeout', 'reset'])
const NONE: readonly Deployment[] = []

/** The deployments that a request may ask, and what is left of its attempts. */
export interface Choices {
  /** In the order in which the request tries them. */
  readonly deployments: readonly Deployment[]
  readonly tried: Set<Deployment>
  /** The number of attempts that it may have. */
  attemptsMax: number
}

/** Chooses the next attempt after a failure; undefined: there is none. */
export function nextStep(
  request: RoutedRequest,
  choices: Choices,
  { deployment: failed, cause, isUnbilled, retryAfterMs }: AttemptOutcome,
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
    ? untriedOf(choices, request).find((deployment) => isInTime(deployment, 0, request, deps))
    : undefined
  const another = next === undefined ? undefined : { deployment: next, waitMs: 0, release: undefined }
  if (cause === 'key_refused') return another
  const mayRepeat = cause !== 'busy' && mayFollow(request, cause)
  // After a first failed attempt, the SDK's own retries do what they would do without this server.
  if (cause !== 'busy' && !isUnbilled && !mayRepeat) return exchange.attempts > 1 ? spent() : undefined
  if (exchange.attempts >= choices.attemptsMax) return spent()
  if (another !== undefined) return another
  if (!mayRepeat) return spent()
  const backOff = backOffMs(retry, exchange.attempts - 1, retryAfterMs, deps.random)
  const waitMs = Math.max(backOff ?? Number.POSITIVE_INFINITY, failed.health.waitMs(request.payerOf(failed)))
  if (waitMs > Math.max(retry.retryAfterMaxMs, retry.maxMs) || !isInTime(failed, waitMs, request, deps)) return spent()
  const release = deps.retryBudget.tryTake(retry.budgetPercent)
  return release === undefined ? spent() : { deployment: failed, waitMs, release }
}

/**
 * Gives how long to wait before the same target is asked again, in ms: any time up to `baseMs` · 2ⁿ (full jitter), where n is the number
 * of repeats before this one. It is at least `Retry-After` plus up to `baseMs`, so that not all clients come back at once.
 *
 * undefined: `Retry-After` is too long to be waited for.
 */
export function backOffMs(
  settings: RetrySettings,
  repeat: number,
  retryAfterMs: number | undefined,
  random: () => number,
): number | undefined {
  const share = random()
  const jittered = share * Math.min(settings.maxMs, settings.baseMs * 2 ** repeat)
  if (retryAfterMs === undefined) return jittered
  if (retryAfterMs > settings.retryAfterMaxMs) return undefined
  return Math.max(jittered, retryAfterMs + share * settings.baseMs)
}

/**
 * The number of attempts that a request may have. SDKs retry, too: where one already does, retries here would multiply the calls.
 */
export function attemptsMaxOf({ exchange, route, isReplayable }: RoutedRequest): number {
  if (!isReplayable) return 1
  const { attempts } = route.resilience.retry
  return attempts > 1 && isSdkRetry(exchange) ? 1 : attempts
}

/** How many attempts of a request may be sent and billed though another one follows. `isRepeatable`: it may be sent again after such a one. */
export function cutAttemptsMax({ resilience }: Pick<Route, 'resilience'>, isRepeatable: boolean): number {
  const { attempts, on } = resilience.retry
  return isRepeatable && attempts > 1 && on.some((cause) => BILLED.has(cause)) ? attempts - 1 : 0
}

function isSdkRetry({ request }: Exchange): boolean {
  return Number(request.headers.get('x-stainless-retry-count') ?? 0) > 0
}

/** Whether the settings have another attempt follow such a failure. */
export function isRetried(settings: RetrySettings, cause: RetryCause): boolean {
  return settings.on.includes(cause)
}

/**
 * Tells whether another attempt may follow a failure: as the operator says, but where the request has an `Idempotency-Key` only
 * if the failed attempt can't be billed.
 */
export function mayFollow({ route, hasIdempotencyKey }: RoutedRequest, cause: RetryCause): boolean {
  return isRetried(route.resilience.retry, cause) && (!hasIdempotencyKey || UNBILLED.has(cause))
}

/** The deployments, in their order, that a request has not tried yet and that are available now. */
export function untriedOf({ deployments, tried }: Choices, { payerOf }: RoutedRequest): readonly Deployment[] {
  if (deployments.length === 1) return NONE
  return deployments.filter(
    (deployment) => !tried.has(deployment) && deployment.health.isAvailable(payerOf(deployment)),
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
