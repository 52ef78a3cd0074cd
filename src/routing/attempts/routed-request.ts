import type { Exchange } from '../../exchange/exchange.ts'
import type { Sleep } from '../../timing/sleep.ts'
import type { Account } from '../targets/call-report.ts'
import type { RetryBudget } from '../targets/retry.ts'
import type { Deployment, Route } from '../targets/router.ts'
import type { AttemptDeps, UpstreamRequest } from './upstream-request.ts'

/** One request, the route that it may go by, and the limits on its attempts. */
export interface RoutedRequest {
  readonly exchange: Exchange
  readonly route: Route
  readonly affinity: string | undefined
  /** The account that a call of a deployment is made on. */
  readonly accountOf: (deployment: Deployment) => Account
  /** The call for a deployment; may throw an `ApiError`, which ends the request. */
  readonly callFor: (deployment: Deployment, abort: AbortController) => UpstreamRequest
  /** The caller relies on one call: no attempt follows, or runs beside, an attempt that may be billed. */
  readonly isOnce: boolean
  /** Whether its body can be sent again. */
  readonly isReplayable: boolean
  /** When a deployment's answer has to be on its way, in the time of `now`; infinite: no limit. */
  readonly dueAt: (deployment: Deployment) => number
  /** The same by the client's own clock alone. */
  readonly clientDueAt: () => number
}

/** What asking deployments needs of the server. */
export interface AskDeps extends AttemptDeps {
  readonly random: () => number
  readonly sleep: Sleep
  readonly retryBudget: RetryBudget
  readonly hedgeBudget: RetryBudget
}
