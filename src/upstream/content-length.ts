import { ApiError } from '../openai/api-error.ts'

/**
 * Leaves one length in the headers of an answer, or none: a length that was sent several times, always alike, once (RFC 9110
 * §8.6), and none beside a transfer coding, which alone tells where the body ends (RFC 9112 §6.3).
 *
 * Gives the length as it stands then, or null. Throws `upstream_invalid_response` where the lengths differ.
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
