import type { Arrival, IncomingBody } from '../exchange/arrival.ts'
import { ApiError } from '../openai/api-error.ts'

/**
 * Makes the arrival of a request that did not come by our HTTP server, from the request itself.
 *
 * @example
 * const { target } = arrivalOf(new Request('http://localhost/v1/models'))
 */
export function arrivalOf(request: Request): Arrival {
  const url = new URL(request.url)
  const abort = new AbortController()
  const leave = (): void => abort.abort(new ApiError('client_closed'))
  request.signal.addEventListener('abort', leave, { once: true })
  if (request.signal.aborted) leave()
  return { target: url.pathname + url.search, isHttp10: false, abort, body: bodyOf(request) }
}

function bodyOf(request: Request): IncomingBody | undefined {
  const { body } = request
  if (body === null) return undefined
  return {
    isComplete: false,
    whole: async () => new Uint8Array(await request.arrayBuffer()),
    stream: () => body,
  }
}
