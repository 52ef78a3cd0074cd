import type { Exchange } from '../exchange/exchange.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import type { RequestFacts } from '../params/rules.ts'

/** What the rules match a request by; `endpoint`: another one than its target's. */
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
