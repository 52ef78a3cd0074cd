import { ApiError } from '../openai/api-error.ts'

/** The messages of the runtime's two HTTP parsers about an answer that is not well-formed. */
const INVALID = /^(?:ResponseHeadersTooLarge$|Malformed|InvalidHTTP|InvalidContentLength$|HPE_)/

/** The runtime's codes for an established connection that broke. */
const RESETS: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ConnectionClosed'])

/**
 * A kept connection broke before a byte of the answer had come. Most likely the server had closed it before the
 * request came, which says nothing of its health; but nobody knows, so the request is not sent again.
 */
export class StaleConnection extends Error {
  override readonly name = 'StaleConnection'
  /** The system's code. */
  readonly code: string

  constructor(cause: unknown) {
    super('a kept connection had been closed', { cause })
    this.code = codeOf(cause)
  }
}

/**
 * Whether a call failed because its connection broke.
 *
 * @example
 * if (isReset(cause)) connections.onStale()
 */
export function isReset(cause: unknown): boolean {
  return RESETS.has(codeOf(cause))
}

/** The system's codes for a process that may open nothing more, or has no address or port left to call from: not the upstream's fault. */
const STARVED: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL'])

/**
 * Gives the error of a failed call to the upstream: an `ApiError` that was the abort's reason is
 * that very error; a shortage of this process is its own; all else is an upstream that could not be reached or broke off.
 *
 * The runtime's error stays as the cause (ECONNREFUSED, ENOTFOUND, ECONNRESET, …), for the log only.
 *
 * @example
 * catch (cause) { throw upstreamFailure(cause) }
 */
export function upstreamFailure(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause
  if (STARVED.has(codeOf(cause))) return new ApiError('out_of_connections', { cause })
  const isInvalid = INVALID.test(codeOf(cause))
  return new ApiError(isInvalid ? 'upstream_invalid_response' : 'upstream_unreachable', { cause })
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}
