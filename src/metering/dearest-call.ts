import { ApiError } from '../openai/api-error.ts'
import { shownName } from '../openai/model-not-found.ts'
import { costOfReading, type Estimate, estimateCall } from '../pricing/estimate.ts'
import type { PlannedCall } from '../pricing/planned-call.ts'
import type { ModelPrice } from '../pricing/price.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import { mayDraw } from '../pricing/tool-use.ts'
import type { PreparedRequest } from '../requests/prepared-request.ts'
import { cutAttemptsMax } from '../routing/attempts/next-step.ts'
import { payerOf } from '../routing/deployment-address.ts'
import type { Deployment } from '../routing/targets/deployment.ts'

/**
 * The most that a call can cost at any of its targets, in nano-dollars, and what it uses there: twice that where a second one may be asked beside
 * the first, and what it reads once more for each attempt that may be billed though another one follows. Throws `model_not_priced`,
 * also where a tool may draw images.
 *
 * @example
 * const { estimate, amount } = dearestCall(request, planned, prices)
 */
export function dearestCall(
  request: PreparedRequest,
  planned: Omit<PlannedCall, 'model'>,
  prices: PriceBook,
): { readonly estimate: Estimate; readonly amount: bigint } {
  const { exchange, route, outgoing } = request
  const cuts = cutAttemptsMax(route, outgoing.isReplayable && !request.hasIdempotencyKey)
  let most: { readonly estimate: Estimate; readonly cost: number } | undefined
  for (const deployment of route.deployments) {
    if (payerOf(exchange.principal, deployment.upstream) === 'caller') continue
    for (const model of modelsAt(deployment, request)) {
      const found = prices.priceOf(deployment.upstream.provider, deployment.upstream.name, model)
      const call = { ...planned, model }
      const estimate = estimateCall(call, found?.price)
      const once = found?.by === 'free' ? 0 : estimate.cost
      if (found === undefined || once === undefined) throw notPriced(nameOf(model), deployment.upstream.name)
      if (found.by !== 'free' && mayDraw(call)) throw notPriced(DRAWING, deployment.upstream.name)
      const cost = once + (cuts === 0 ? 0 : cuts * costOfReading(call, estimate, found.price))
      if (most === undefined || cost > most.cost) most = { estimate, cost }
    }
  }
  const estimate = most?.estimate ?? estimateCall({ ...planned, model: modelNamed(request) }, undefined)
  const times = route.resilience.hedge === undefined ? 1n : 2n
  return { estimate, amount: BigInt(most?.cost ?? 0) * times }
}

/** The models that a call may be answered by at a deployment: its own, and those that it names as others that will do. */
function modelsAt(deployment: Deployment, request: PreparedRequest): readonly string[] {
  const { outgoing } = request
  const own = outgoing.modelFor(deployment) ?? modelNamed(request)
  return outgoing.inner.length === 0 ? [own] : [own, ...outgoing.inner.map(({ model }) => model)]
}

/**
 * The model as its caller names it, wherever; or the one that is taken where none is named.
 *
 * @example
 * modelNamed(request) // 'gpt-4o'
 */
export function modelNamed({ exchange, outgoing }: PreparedRequest): string {
  return outgoing.model ?? exchange.model ?? ''
}

/** The price at the first of the targets; undefined: there is none. */
export function priceAtFirst(request: PreparedRequest, prices: PriceBook): ModelPrice | undefined {
  const [deployment] = request.route.deployments
  const [model] = deployment === undefined ? [] : modelsAt(deployment, request)
  if (deployment === undefined || model === undefined) return undefined
  return prices.priceOf(deployment.upstream.provider, deployment.upstream.name, model)?.price
}

const DRAWING = 'What the tool `image_generation` draws'

function nameOf(model: string): string {
  return model === '' ? 'This call names no model, so that it' : `The model \`${shownName(model)}\``
}

function notPriced(what: string, upstream: string): ApiError {
  return new ApiError('model_not_priced', {
    message: `${what} has no price at ${upstream}, and your key has a spend limit: what the call costs could not be counted. The operator of this server may give it a price (\`prices\`), or say that it is free.`,
  })
}
