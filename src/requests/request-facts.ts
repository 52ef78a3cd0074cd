import type { Exchange } from '../exchange/exchange.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import type { RequestFacts } from '../params/rules.ts'

/** Gives the facts by which the rules match a request. `endpoint` is that of its target, or of an inner call. */
export function factsOf(
  exchange: Exchange,
  model: string | undefined,
  endpoint: string = endpointOf(exchange.requestTarget),
): RequestFacts {
  const { principal } = exchange
  return {
    model,
    endpoint,
    principal: { kind: principal.kind, id: principal.kind === 'local' ? undefined : principal.id },
    headers: exchange.request.headers,
  }
}
