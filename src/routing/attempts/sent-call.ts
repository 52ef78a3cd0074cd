import type { ApiError } from '../../openai/api-error.ts'
import { StaleConnection } from '../../upstream/failure.ts'
import type { Deployment } from '../targets/deployment.ts'
import { isUnsent } from './failure-of.ts'

/** One call on its way to a deployment, for those who count what it costs. */
export interface SentCall {
  readonly deployment: Deployment
  /** When it was sent, and when it was over without an answer to hand on, in the time of `now`; undefined: it is not. */
  readonly sentAt: number
  endedAt: number | undefined
  /** Whether its upstream bills what it has read: not where it has never got it, or has refused it. */
  isBilled: boolean
}

/** Hears of each call that is sent for a request. */
export interface SendWatch {
  readonly onSend: (deployment: Deployment, sentAt: number) => SentCall
}

/** A kept connection that the server had closed before breaks at once; one that breaks later has brought it the request. */
const STALE_MS = 1000

/**
 * Notes of a call that it has failed. undefined: nobody counts.
 *
 * @example
 * catch (thrown) { noteFailure(sent, upstreamFailure(thrown), now()) }
 */
export function noteFailure(sent: SentCall | undefined, error: ApiError, now: number): void {
  if (sent === undefined) return
  sent.endedAt ??= now
  const wasStale = error.cause instanceof StaleConnection && now - sent.sentAt < STALE_MS
  if (wasStale || isUnsent(error) || error.kind === 'upstream_invalid_response') sent.isBilled = false
}
