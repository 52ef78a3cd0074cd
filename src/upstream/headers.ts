import { HOP_BY_HOP, hopByHopIn, namedByConnection } from '../formats/http/hop-by-hop.ts'
import { ApiError } from '../openai/api-error.ts'

const HOP_BY_HOP_NAMES = [...HOP_BY_HOP]

/** Headers of a request that concern this hop: the host that the caller named, and the wait for `100 Continue`. */
const REQUEST_ONLY_HERE = ['host', 'expect'] as const

/**
 * Gives the caller's headers that go upstream: all but the hop-by-hop ones, those named by `Connection`, and Host.
 *
 * @example
 * const headers = requestHeaders(request.headers)
 */
export function requestHeaders(incoming: Headers): Headers {
  const headers = new Headers(incoming)
  for (const name of hopByHopIn(incoming)) headers.delete(name)
  for (const name of REQUEST_ONLY_HERE) headers.delete(name)
  return headers
}

/**
 * Gives the upstream's headers that go to the caller: all but the hop-by-hop ones and those named by `Connection`.
 *
 * @example
 * const headers = responseHeaders(head.headers)
 */
export function responseHeaders(upstream: Headers): Headers {
  const headers = new Headers(upstream)
  removeHopByHop(headers)
  return headers
}

/**
 * Removes the headers that belong to one connection: the hop-by-hop ones, and those named by `Connection`.
 *
 * @example
 * removeHopByHop(answer.headers)
 */
export function removeHopByHop(headers: Headers): void {
  for (const name of namedByConnection(headers)) headers.delete(name)
  // To delete a name that is not there costs less than to look for it first.
  for (const name of HOP_BY_HOP_NAMES) headers.delete(name)
}

/**
 * Leaves one length in the headers of an answer, or none: a repeated equal length is kept once (RFC 9110
 * §8.6), and none is kept beside a transfer coding, which alone tells where the body ends (RFC 9112 §6.3).
 *
 * Gives the remaining length, or null. Throws `upstream_invalid_response` if the lengths differ.
 *
 * @example
 * settleContentLength(answer.headers)
 */
export function settleContentLength(headers: Headers): string | null {
  const length = headers.get('content-length')
  if (length === null) return null
  if (headers.has('transfer-encoding')) {
    headers.delete('content-length')
    return null
  }
  if (!length.includes(',')) return length
  const one = onlyOne(length)
  headers.set('content-length', one)
  return one
}

function onlyOne(length: string): string {
  const [first = '', ...others] = length.split(',').map((one) => one.trim())
  if (others.some((one) => one !== first)) {
    throw new ApiError('upstream_invalid_response', { cause: 'upstream told several lengths of its answer' })
  }
  return first
}
