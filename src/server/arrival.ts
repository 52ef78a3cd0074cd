import type { IncomingBody } from '../exchange/exchange.ts'
import { ApiError } from '../openai/api-error.ts'

/** The facts of a request that a standard `Request` can't hold: the HTTP server knows them. */
export interface Arrival {
  /** The request target exactly as it stood on the request line, before any URL parser changed it. */
  readonly target: string
  /** Whether the client, or a proxy in front, speaks HTTP/1.0. */
  readonly isHttp10: boolean
  /** Aborted with `client_closed` when the client leaves; the exchange's own clocks abort it too. */
  readonly abort: AbortController
  /** The body, where the request announces one. The HTTP server gives its own, which saves a stream: the `Request` has none then. */
  readonly body: IncomingBody | undefined
  /** The caller's network; absent: unknown. */
  readonly from?: string
}

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
