import { standalone } from '../answers/body-note.ts'
import { addDebugHeaders } from '../answers/own-headers.ts'
import type { Arrival } from '../exchange/arrival.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Outcome } from '../exchange/outcome.ts'
import type { Log } from '../telemetry/log.ts'
import { arrivalOf } from './arrival.ts'
import type { Cors } from './cors.ts'
import { answerError } from './error-handler.ts'
import { guardRequest } from './guard.ts'
import type { App } from './http-server.ts'

/** The dependencies of answering a request over HTTP. */
export interface FetchDeps {
  readonly open: (request: Request, arrival: Arrival) => Exchange
  readonly cors: Cors
  readonly routes: { readonly fetch: (request: Request) => Response | Promise<Response> }
  /** Whether the settings in force ask for debug headers. */
  readonly hasDebugHeaders: () => boolean
  readonly log: Log
}

const COMPLETE: Outcome = { kind: 'complete' }

/**
 * Makes the function that answers each request over HTTP: guard, CORS, routes. It ends the exchange where no upstream's answer does.
 *
 * @example
 * const fetch = createFetch({ open, cors, routes, hasDebugHeaders, log })
 * const response = await fetch(new Request('http://localhost/v1/models'))
 */
export function createFetch({ open, cors, routes, hasDebugHeaders, log }: FetchDeps): App['fetch'] {
  return async (request, arrival) => {
    const exchange = open(request, arrival ?? arrivalOf(request))
    let response: Response
    try {
      guardRequest(request.method, exchange.requestTarget, request.headers)
      response = cors.preflight(request) ?? (await routes.fetch(request))
    } catch (thrown) {
      response = answerError(thrown, exchange, log)
    }
    cors.allow(request, response)
    // A delivered answer of an upstream has these headers already.
    if (!exchange.isDelivered) {
      if (!response.headers.has('x-request-id')) response.headers.set('x-request-id', exchange.id)
      if (exchange.attempts > 0 && hasDebugHeaders()) addDebugHeaders(response.headers, exchange)
    }
    if (!exchange.isTapped) {
      if (exchange.status === 0) exchange.status = response.status
      exchange.end(COMPLETE, Number(response.headers.get('content-length') ?? 0))
    }
    return arrival === undefined ? standalone(response) : response
  }
}
