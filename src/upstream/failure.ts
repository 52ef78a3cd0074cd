import { ApiError } from '../openai/api-error.ts'

/** What the runtime's two HTTP parsers say of an answer that is not well-formed. */
const INVALID = /^(?:ResponseHeadersTooLarge$|Malformed|InvalidHTTP|InvalidContentLength$|HPE_)/

/** What the runtime says where a connection that stood is no more. */
const RESETS: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ConnectionClosed'])

/**
 * A connection that was kept broke before a byte of the answer had come. Most likely the server had closed it before the
 * request came, so that it says nothing of how the server is; but nobody knows, so that the request is not sent again.
 */
export class StaleConnection extends Error {
  override readonly name = 'StaleConnection'
  /** The system's. */
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

/** What the system says where this process may open nothing more, or has no address or port left to call from: no upstream's doing. */
const STARVED: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL'])

/**
 * Says who failed when a call to the upstream throws: an `ApiError` of ours that was the abort's reason is
 * that very error; what this process can't open is its own lack; all else is an upstream that could not be reached or broke off.
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
