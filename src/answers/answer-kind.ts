import type { Exchange } from '../exchange/exchange.ts'
import { isJsonType, isPage } from '../formats/http/media-types.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { holdsContent } from '../openai/resources.ts'

/**
 * Names the fault in the kind of an answer; undefined: none. A page or a redirect in place of an API's answer means that the base
 * URL is not an API's. The content of a file may be a page.
 *
 * @example
 * const isFailure = wrongKindOf(exchange, answer) !== undefined
 */
export function wrongKindOf(
  { request, requestTarget: target, endpoint }: Exchange,
  { ok, status, headers }: Response,
): string | undefined {
  if (status < 200 || status > 599) return `a ${status}`
  if (status >= 300 && status < 400 && endpoint !== undefined) return `a ${status} redirect`
  if (!ok || !isPage(headers.get('content-type'))) return undefined
  const wantsJson = endpoint !== undefined || request.headers.get('accept')?.includes('application/json') === true
  return wantsJson && !holdsContent(endpointOf(target)) ? 'a text/html page' : undefined
}

/** Throws `upstream_invalid_response` for an answer of the wrong kind. */
export function refuseWrongKind(exchange: Exchange, answer: Response): void {
  const found = wrongKindOf(exchange, answer)
  if (found === undefined) return
  throw new ApiError('upstream_invalid_response', { cause: `upstream answered with ${found}` })
}

/** An answer of at most this many bytes is read at once, and not watched piece by piece. */
export const SHORT_BYTES_MAX = 64 * 1024

/**
 * Whether an answer's headers say that it is JSON of at most `bytesMax` bytes: nobody gains by getting a short one in pieces.
 *
 * @example
 * if (isJsonWithin(answer.headers, SHORT_BYTES_MAX)) return await readShort(answer, exchange.abort.signal)
 */
export function isJsonWithin(headers: Headers, bytesMax: number): boolean {
  const length = headers.get('content-length')
  return length !== null && Number(length) <= bytesMax && isJsonType(headers.get('content-type'))
}
