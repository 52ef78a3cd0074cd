import { ApiError } from '../openai/api-error.ts'

/**
 * Reads a request's `Idempotency-Key`; undefined: it has none. One that has come twice, as over two proxies, counts once.
 *
 * Throws `invalid_idempotency_key` where it is empty, since whoever sends it relies on it.
 *
 * @example
 * const name = idempotencyNameOf(exchange.request.headers)
 */
export function idempotencyNameOf(headers: Headers): string | undefined {
  const value = headers.get('idempotency-key')
  if (value === null) return undefined
  const text = value.trim()
  const half = (text.length - 2) / 2
  // Repeated headers are joined by a comma and a space.
  const isTwice = text.slice(half, half + 2) === ', ' && text.slice(0, half) === text.slice(half + 2)
  const name = isTwice ? text.slice(0, half) : text
  if (name === '' || name === ',') throw new ApiError('invalid_idempotency_key')
  return name
}
