import type { RetryCause } from '../config/settings.ts'
import { ApiError } from '../openai/api-error.ts'
import { isCallers, statusOfError } from '../openai/error-status.ts'
import type { Outcome } from '../stream/outcome.ts'

/** What the runtime says where no connection came about, so that no byte of the request was sent. */
const NOT_CONNECTED: ReadonlySet<string> = new Set([
  'ConnectionRefused',
  'FailedToOpenSocket',
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'ConnectionTimeout',
])

/**
 * Says what made a call fail, as far as it was the upstream's doing; undefined: the client left, or its deadline came. Our
 * limit on the whole exchange is one on whoever was waited for.
 */
export function failureOf(error: ApiError, exchangeSignal: AbortSignal): RetryCause | undefined {
  if (exchangeSignal.aborted && exchangeSignal.reason !== error) return undefined
  if (error.kind === 'upstream_timeout') return 'timeout'
  // An attempt's share of the client's time may be up before that is.
  if (error.kind === 'client_deadline') return exchangeSignal.aborted ? undefined : 'timeout'
  if (error.kind === 'upstream_invalid_response') return 'invalid'
  if (error.kind !== 'upstream_unreachable') return undefined
  return isNotConnected(error.cause) ? 'connect' : 'reset'
}

/** Whether an error is one of a call of which nothing was sent, so that it has cost nobody anything. */
export function isUnsent(thrown: unknown): boolean {
  return thrown instanceof ApiError && thrown.kind === 'upstream_unreachable' && isNotConnected(thrown.cause)
}

function isNotConnected(cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  // The same codes come of connections that were there and have gone silent.
  if (cause instanceof Error && 'syscall' in cause && /^(?:read|write)/.test(String(cause.syscall))) return false
  // A certificate is refused before anything is sent.
  return NOT_CONNECTED.has(code) || /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)
}

/** Whether an exchange whose answer had begun ended by the upstream's doing: it broke off, fell silent, or reported a failure. */
export function isUpstreams(outcome: Outcome): boolean {
  if (outcome.kind === 'complete') {
    const failure = outcome.end?.failure()
    return failure !== undefined && !isCallers(statusOfError(failure))
  }
  if (outcome.kind !== 'failed') return false
  return !(outcome.cause instanceof ApiError) || outcome.cause.entry.fault === 'upstream'
}
