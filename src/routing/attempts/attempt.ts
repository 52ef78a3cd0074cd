import type { Secret } from '../../config/secret.ts'
import type { Exchange } from '../../exchange/exchange.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Deadlines, Sleep } from '../../timing/deadlines.ts'
import type { Send, UpstreamCall } from '../../upstream/send.ts'
import type { Account } from '../health/call-report.ts'
import type { Deployment } from '../targets/deployment.ts'
import type { Route } from '../targets/router.ts'
import type { RetryBudget } from './retry-budget.ts'
import type { SendWatch, SentCall } from './sent-call.ts'

/** One call to one deployment. */
export interface DeploymentCall extends UpstreamCall {
  /** The server's key, where this call spends it. */
  readonly spentKey: Secret | undefined
  /** The account that the call is made on. */
  readonly account: Account
  /** The longest silence between two chunks of the answer; 0: no limit. */
  readonly streamIdleMs: number
  /** undefined: nobody counts what is sent. */
  readonly watch?: SendWatch | undefined
}

/** One attempt at a deployment, and what becomes known of it on the way. */
export interface Attempt {
  readonly exchange: Exchange
  readonly deployment: Deployment
  readonly call: DeploymentCall
  /**
   * Until when, in the time of `now`, the beginning of a good answer may be held back to see whether it is an error, where
   * another target could be asked instead; undefined: the answer goes on at once.
   */
  readonly heldUntil?: number | undefined
  /** When the attempt began to wait for a place, and from its sending on when it was sent, in the time of `now`. */
  begunAt?: number
  /** Whether the exchange's observers have been told of the attempt: they are told once. */
  isNoted?: boolean
  /** Its call, once it is sent and where somebody counts. */
  sent?: SentCall | undefined
}

/** The dependencies of an attempt. */
export interface AttemptDeps {
  readonly send: Send
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly deadlines: Deadlines
  readonly log: Pick<Log, 'warn'>
}

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
