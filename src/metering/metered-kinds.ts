import type { Exchange } from '../exchange/exchange.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { type EndpointUse, useOfRequest } from '../openai/endpoint-use.ts'
import type { ToldUsage } from '../openai/usage/usage.ts'

/**
 * What is counted of a request: a call of a model; what its answer alone tells (`told`); an object that was made before, whose cost its answer
 * tells now.
 */
export type MeteredKind =
  | { readonly kind: 'call' }
  /** It makes an object, such as a batch, whose cost is told when that is fetched. */
  | { readonly kind: 'making' }
  /** `isCertain`: it is booked, whatever its answer tells. */
  | { readonly kind: 'told'; readonly isCertain: boolean }
  /** A response that was made in the background. */
  | { readonly kind: 'response'; readonly id: string }
  | ObjectsKind

/** What batches tell: one of them, a list, or the lines of a batch's answers; `id`: of the batch, or of the file that the lines are in. */
export type ObjectsKind = { readonly kind: 'batches' } | { readonly kind: 'batch' | 'lines'; readonly id: string }
/** What is counted by itself. */
export type CallKind = Exclude<MeteredKind, ObjectsKind>

const CALL: MeteredKind = { kind: 'call' }
const MAKING: MeteredKind = { kind: 'making' }
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
    case 'made':
      return MAKING
    case 'told':
      return use.kind === 'closed' ? TOLD : MAY_TELL
    case 'object':
      return objectKind(use, exchange.requestTarget)
    case 'nothing':
      return undefined
  }
}

/** An id keeps its letters. */
function objectKind({ kind, idAt }: EndpointUse, target: string): MeteredKind | undefined {
  if (kind === 'batches') return { kind }
  const id = endpointOf(target)
    .split('/')
    .filter((segment) => segment !== '')[idAt]
  return id === undefined ? undefined : { kind: kind === 'batch' || kind === 'lines' ? kind : 'response', id }
}

/** Whether a request is about batches that were made before. */
export function isOfObjects(kind: MeteredKind): kind is ObjectsKind {
  return kind.kind === 'batch' || kind.kind === 'batches' || kind.kind === 'lines'
}

/** The states of a batch, or of a response, that goes on no more. */
const OVER: ReadonlySet<string> = new Set(['completed', 'incomplete', 'failed', 'cancelled', 'expired'])

/** Whether a batch, or a response, goes on no more. */
export function isOver({ status = '' }: Pick<ToldUsage, 'status'>): boolean {
  return OVER.has(status)
}

/**
 * The id of an object that an answer has made, whose cost is told when it is fetched: of a batch, or of a response in the background that goes
 * on; undefined: it has made none.
 */
export function madeObject(kind: CallKind, told: ToldUsage, status: number): string | undefined {
  if (status < 200 || status >= 300) return undefined
  if (kind.kind === 'call') return told.isBackground && !isOver(told) ? told.id : undefined
  return kind.kind === 'making' ? told.id : undefined
}
