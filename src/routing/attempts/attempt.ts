import type { Secret } from '../../config/secret.ts'
import type { Exchange } from '../../exchange/exchange.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Deadlines } from '../../timing/deadlines.ts'
import type { Send, UpstreamCall } from '../../upstream/send.ts'
import type { Account } from '../health/call-report.ts'
import type { Deployment } from '../targets/deployment.ts'

/** One call to one deployment. */
export interface DeploymentCall extends UpstreamCall {
  /** The server's key, where this call spends it. */
  readonly spentKey: Secret | undefined
  /** The account that the call is made on. */
  readonly account: Account
  /** The longest silence between two chunks of the answer; 0: no limit. */
  readonly streamIdleMs: number
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
}

/** The dependencies of an attempt. */
export interface AttemptDeps {
  readonly send: Send
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly deadlines: Deadlines
  readonly log: Pick<Log, 'warn'>
}
