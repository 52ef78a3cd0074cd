import type { RetryCause } from '../../config/sections/retry.ts'
import type { Outcome } from '../../exchange/outcome.ts'
import { ApiError } from '../../openai/api-error.ts'
import { isCallers, statusOfError } from '../../openai/error-status.ts'

/** What the runtime says where no connection came about, so that no byte of the request was sent. */
const NOT_CONNECTED: ReadonlySet<string> = new Set([
  'ConnectionRefused',
  'FailedToOpenSocket',
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ETIMEDOUT',
  'ConnectionTimeout',
])

/** What the system says where it has not even opened a socket; memory can also run out later. */
const NOTHING_OPENED: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL'])

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
  // Ports run out for one server at a time, so that another one can be asked; descriptors and memory for all of them.
  if (error.kind === 'out_of_connections') return codeOf(error.cause) === 'EADDRNOTAVAIL' ? 'connect' : undefined
  if (error.kind !== 'upstream_unreachable') return undefined
  return isNotConnected(error.cause) ? 'connect' : 'reset'
}

/** Whether an error is one of a call of which nothing was sent, so that it has cost nobody anything. */
export function isUnsent(thrown: unknown): boolean {
  if (!(thrown instanceof ApiError)) return false
  if (thrown.kind === 'out_of_connections') return NOTHING_OPENED.has(codeOf(thrown.cause))
  return thrown.kind === 'upstream_unreachable' && isNotConnected(thrown.cause)
}

function isNotConnected(cause: unknown): boolean {
  const code = codeOf(cause)
  const syscall = cause instanceof Error && 'syscall' in cause ? String(cause.syscall) : ''
  // The same codes come of connections that were there and have gone silent.
  if (/^(?:read|write)/.test(syscall)) return false
  // A name that can't be looked up has led nowhere, whatever the resolver says; a certificate is refused before anything is sent.
  return syscall === 'getaddrinfo' || NOT_CONNECTED.has(code) || /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
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
