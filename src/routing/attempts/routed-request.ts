import type { Exchange } from '../../exchange/exchange.ts'
import type { Sleep } from '../../timing/sleep.ts'
import type { Account } from '../targets/call-report.ts'
import type { RetryBudget } from '../targets/retry.ts'
import type { Deployment, Route } from '../targets/router.ts'
import type { AttemptDeps, UpstreamRequest } from './upstream-request.ts'

/** One request, and where it may go. */
export interface RoutedRequest {
  readonly exchange: Exchange
  readonly route: Route
  readonly affinity: string | undefined
  /** On whose account a deployment is asked. */
  readonly accountOf: (deployment: Deployment) => Account
  /** The call for a deployment; may throw an `ApiError`, which ends the request. */
  readonly callFor: (deployment: Deployment, abort: AbortController) => UpstreamRequest
  /** Its caller relies on it that it is made once: nothing follows, or goes beside, an attempt that may be billed. */
  readonly isOnce: boolean
  /** Whether its body can be sent again. */
  readonly isReplayable: boolean
  /** When a deployment's answer has to be on its way, in the time of `now`; infinite: whenever. */
  readonly dueAt: (deployment: Deployment) => number
  /** The same as far as the client's own clock says it. */
  readonly clientDueAt: () => number
}

/** What asking needs. */
export interface AskDeps extends AttemptDeps {
  readonly random: () => number
  readonly sleep: Sleep
  readonly retryBudget: RetryBudget
  readonly hedgeBudget: RetryBudget
}
