import { standalone } from '../answers/body-note.ts'
import { addDebugHeaders } from '../answers/own-headers.ts'
import type { Arrival, BodilessRequest } from '../exchange/arrival.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Outcome } from '../exchange/outcome.ts'
import type { Log } from '../telemetry/log.ts'
import { arrivalOf } from './arrival.ts'
import type { Cors } from './cors.ts'
import { answerError } from './error-handler.ts'
import { guardRequest } from './guard.ts'
import type { App } from './http-server.ts'

/** The dependencies of answering a request over HTTP. */
export interface ServeDeps {
  readonly open: (request: BodilessRequest, arrival: Arrival) => Exchange
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
 * const serve = createServe({ open, cors, routes, hasDebugHeaders, log })
 * const response = await serve(request, arrival)
 */
export function createServe({ open, cors, routes, hasDebugHeaders, log }: ServeDeps): App['serve'] {
  return async (request, arrival) => {
    const exchange = open(request, arrival)
    let response: Response
    try {
      guardRequest(request.method, exchange.requestTarget, request.headers)
      // Elysia reads the method and the URL, and hands the rest to our routes.
      response = cors.preflight(request) ?? (await routes.fetch(request as Request))
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
    return response
  }
}

/**
 * Makes the function that answers a standard request, from a server that is none of ours, with a standard response.
 *
 * @example
 * const fetch = createFetch(serve)
 * const response = await fetch(new Request('http://localhost/v1/models'))
 */
export function createFetch(serve: App['serve']): App['fetch'] {
  return async (request) => standalone(await serve(request, arrivalOf(request)))
}
