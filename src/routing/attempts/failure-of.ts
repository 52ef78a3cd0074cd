import type { RetryCause } from '../../config/sections/retry.ts'
import type { Outcome } from '../../exchange/outcome.ts'
import { ApiError } from '../../openai/api-error.ts'
import { isCallers, statusOfError } from '../../openai/error-status.ts'

/** The runtime's codes where no connection came about, so that no byte of the request was sent. */
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

/** The system's codes where it has not even opened a socket. A lack of memory is left out: it can also come later. */
const NOTHING_OPENED: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL'])

/**
 * Finds the cause of a failed call where the upstream is to blame; undefined: it is not, as where the client left
 * or its deadline came. The limit on the whole exchange counts against the upstream that was waited for.
 */
export function failureOf(error: ApiError, exchangeSignal: AbortSignal): RetryCause | undefined {
  if (exchangeSignal.aborted && exchangeSignal.reason !== error) return undefined
  if (error.kind === 'upstream_timeout') return 'timeout'
  // An attempt's share of the client's time may be up before all of that time is.
  if (error.kind === 'client_deadline') return exchangeSignal.aborted ? undefined : 'timeout'
  if (error.kind === 'upstream_invalid_response') return 'invalid'
  // Ports run out for one upstream at a time, so that another one can be asked; descriptors and memory run out for all.
  if (error.kind === 'out_of_connections') return codeOf(error.cause) === 'EADDRNOTAVAIL' ? 'connect' : undefined
  if (error.kind !== 'upstream_unreachable') return undefined
  return isNotConnected(error.cause) ? 'connect' : 'reset'
}

/** Tells whether a call failed before anything was sent, so that it can't be billed. */
export function isUnsent(thrown: unknown): boolean {
  if (!(thrown instanceof ApiError)) return false
  if (thrown.kind === 'out_of_connections') return NOTHING_OPENED.has(codeOf(thrown.cause))
  return thrown.kind === 'upstream_unreachable' && isNotConnected(thrown.cause)
}

function isNotConnected(cause: unknown): boolean {
  const code = codeOf(cause)
  const syscall = cause instanceof Error && 'syscall' in cause ? String(cause.syscall) : ''
  // Connections that were open and have gone silent give the same codes.
  if (/^(?:read|write)/.test(syscall)) return false
  // Without an address nothing is sent, whatever the resolver's code; a certificate is refused before anything is sent.
  return syscall === 'getaddrinfo' || NOT_CONNECTED.has(code) || /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}

/** Tells whether the upstream ended an answer that had begun: it broke off, fell silent, or reported a failure. */
export function isUpstreamsFault(outcome: Outcome): boolean {
  if (outcome.kind === 'complete') {
    const failure = outcome.end?.failure()
    return failure !== undefined && !isCallers(statusOfError(failure))
  }
  if (outcome.kind !== 'failed') return false
  return !(outcome.cause instanceof ApiError) || outcome.cause.entry.fault === 'upstream'
}
