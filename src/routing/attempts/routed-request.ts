import type { Exchange } from '../../exchange/exchange.ts'
import type { Sleep } from '../../timing/sleep.ts'
import type { Account } from '../health/call-report.ts'
import type { Deployment } from '../targets/deployment.ts'
import type { Route } from '../targets/router.ts'
import type { AttemptDeps, DeploymentCall } from './attempt.ts'
import type { RetryBudget } from './retry-budget.ts'

/** One request, the route that it may go by, and the limits on its attempts. */
export interface RoutedRequest {
  readonly exchange: Exchange
  readonly route: Route
  readonly affinity: string | undefined
  /** The account that pays for a call to a deployment. */
  readonly payerOf: (deployment: Deployment) => Account
  /** The call for a deployment; may throw an `ApiError`, which ends the request. */
  readonly callFor: (deployment: Deployment, abort: AbortController) => DeploymentCall
  /** Whether it goes by its `Idempotency-Key`: no attempt follows, or runs beside, an attempt that may be billed. */
  readonly hasIdempotencyKey: boolean
  /** Whether its body can be sent again. */
  readonly isReplayable: boolean
  /** When a deployment's answer has to be on its way, in the time of `now`; infinite: no limit. */
  readonly dueAt: (deployment: Deployment) => number
  /** The same by the client's own clock alone. */
  readonly clientDueAt: () => number
}

/** The dependencies of `ask`. */
export interface AskDeps extends AttemptDeps {
  readonly random: () => number
  readonly sleep: Sleep
  readonly retryBudget: RetryBudget
  readonly hedgeBudget: RetryBudget
}
