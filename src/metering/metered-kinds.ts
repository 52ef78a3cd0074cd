import type { Exchange } from '../exchange/exchange.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { useOfRequest } from '../openai/endpoint-use.ts'

/**
 * What is counted of a request: a call of a model; what its answer alone tells (`told`); an object that was made before, whose cost its answer
 * tells now.
 */
export type MeteredKind =
  | { readonly kind: 'call' }
  /** `isCertain`: it is booked, whatever its answer tells. */
  | { readonly kind: 'told'; readonly isCertain: boolean }
  /** `id`: of a batch, or of a response that was made in the background. */
  | { readonly kind: 'batch' | 'response'; readonly id: string }

const CALL: MeteredKind = { kind: 'call' }
const TOLD: MeteredKind = { kind: 'told', isCertain: true }
const MAY_TELL: MeteredKind = { kind: 'told', isCertain: false }

/** The parts of an exchange that decide what it is. */
type AskedFor = Pick<Exchange, 'request' | 'requestTarget' | 'isUpgrade' | 'body'>

/**
 * What is counted of a request, by the table of endpoints; undefined: nothing.
 *
 * @example
 * meteredKind(exchange) // { kind: 'batch', id: 'batch_1' } for GET /v1/batches/batch_1
 */
export function meteredKind(exchange: AskedFor): MeteredKind | undefined {
  const use = useOfRequest(exchange)
  switch (use.counted) {
    case 'call':
      return CALL
    case 'told':
      return use.kind === 'closed' ? TOLD : MAY_TELL
    case 'object':
      return objectKind(use.kind === 'batch' ? 'batch' : 'response', exchange.requestTarget, use.idAt)
    case 'nothing':
      return undefined
  }
}

/** An id keeps its letters. */
function objectKind(kind: 'batch' | 'response', target: string, idAt: number): MeteredKind | undefined {
  const id = endpointOf(target)
    .split('/')
    .filter((segment) => segment !== '')[idAt]
  return id === undefined ? undefined : { kind, id }
}
