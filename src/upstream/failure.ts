import { ApiError } from '../openai/api-error.ts'

/** What the runtime's two HTTP parsers say of an answer that is not well-formed. */
const INVALID = /^(?:ResponseHeadersTooLarge$|Malformed|InvalidHTTP|InvalidContentLength$|HPE_)/

/**
 * Says who failed when a call to the upstream throws: an `ApiError` of ours that was the abort's reason is
 * that very error; all else is an upstream that could not be reached or broke off.
 *
 * The runtime's error stays as the cause (ECONNREFUSED, ENOTFOUND, ECONNRESET, …), for the log only.
 *
 * @example
 * catch (cause) { throw upstreamFailure(cause) }
 */
export function upstreamFailure(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const isInvalid = INVALID.test(code)
  return new ApiError(isInvalid ? 'upstream_invalid_response' : 'upstream_unreachable', { cause })
}
