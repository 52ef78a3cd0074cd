import type { Authorize } from '../auth/authorize.ts'
import { applyCredentials, spendsServerKey, withoutToken } from '../auth/credentials.ts'
import type { Exchange } from '../exchange.ts'
import { ApiError } from '../openai/api-error.ts'
import type { PipelineDeps } from '../pipeline.ts'
import type { Log } from '../telemetry/log.ts'
import { requestHeaders } from '../upstream/headers.ts'
import type { Destination } from '../upstream/target.ts'
import type { Arrival } from './arrival.ts'
import { answerError } from './error-handler.ts'
import { guardRequest } from './guard.ts'
import { isServed, routeOf } from './routes/openai.ts'

/** What becomes of an upgrade request: it goes upstream, or is refused. */
export type Upgrade =
  | (Destination & {
      readonly kind: 'relay'
      readonly exchange: Exchange
      readonly headers: Headers
      /** The server's key, where this call spends it. */
      readonly secret: string | undefined
    })
  | { readonly kind: 'refused'; readonly response: Response }

/** What deciding on an upgrade needs. */
export interface UpgradeDeps {
  readonly open: (request: Request, arrival: Arrival) => Exchange
  readonly authorize: Authorize
  readonly pipeline: PipelineDeps
  readonly log: Log
}

/**
 * Makes the decision on WebSocket upgrades: the same guard, door and credentials as for every other request.
 *
 * @example
 * const upgrade = createUpgrade({ open, authorize, pipeline, log })
 */
export function createUpgrade({
  open,
  authorize,
  pipeline,
  log,
}: UpgradeDeps): (request: Request, arrival: Arrival) => Upgrade {
  return (request, arrival) => {
    const exchange = open(request, arrival)
    exchange.route = routeOf(exchange.target)
    exchange.stream = true
    try {
      guardRequest(request.method, exchange.target, request.headers)
      const principal = authorize(request.headers)
      exchange.principal = principal.kind
      if (!isServed(exchange.target)) throw new ApiError('unknown_url')
      exchange.atEnd(pipeline.admission.admit())
      const destination = pipeline.locate(withoutToken(exchange.target, principal))
      const headers = requestHeaders(request.headers)
      applyCredentials(headers, principal, pipeline.upstream)
      const secret = spendsServerKey(principal) ? pipeline.upstream.apiKey : undefined
      return { ...destination, kind: 'relay', exchange, headers, secret }
    } catch (thrown) {
      return { kind: 'refused', response: answerError(thrown, exchange, log) }
    }
  }
}
