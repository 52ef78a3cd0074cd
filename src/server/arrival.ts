import type { IncomingBody } from '../exchange/exchange.ts'
import { ApiError } from '../openai/api-error.ts'

/** What an edge knows of a request that a standard `Request` can't hold. */
export interface Arrival {
  /** The request target exactly as it stood on the request line, before any URL parser touched it. */
  readonly target: string
  /** Whether the client, or a proxy in front, speaks HTTP/1.0. */
  readonly isHttp10: boolean
  /** Aborted by the edge, with `client_closed`, when the client leaves; the exchange's own clocks abort it too. */
  readonly abort: AbortController
  /** The body, where the request announces one: as the edge has it, which saves a stream; the request is without it then. */
  readonly body: IncomingBody | undefined
  /** Whose connection it came by; absent: nobody knows. */
  readonly from?: string
}

/**
 * The arrival of a request that no edge of ours brought: what the request itself tells.
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
