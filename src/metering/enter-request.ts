import type { Exchange } from '../exchange/exchange.ts'
import { isReading, useOfRequest } from '../openai/endpoint-use.ts'
import { isLimitRefusal } from '../openai/limit-refusal.ts'
import { readTarget } from '../openai/read-target.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import { payerOf } from '../routing/deployment-address.ts'
import type { Deployment } from '../routing/targets/deployment.ts'
import { limitsOfCaller } from './caller-limits.ts'
import type { Decide, Grant } from './decide.ts'
import { type LimitedDemand, requestDemand } from './demand.ts'
import { lendEntry } from './lent-entry.ts'
import { assertCallPermitted, assertEndpointPermitted, type NamedCall } from './permissions.ts'

/** The dependencies of letting requests in. */
export interface EnterRequestDeps {
  readonly decide: Decide
  readonly prices: PriceBook
}

/**
 * Lets a request in whose endpoint is permitted: its caller may use the model, and has a request and a place left. A promise where another
 * machine decides. Throws, or rejects with, an `ApiError`. `deployments`: those that may be asked; none where its answer is there already.
 */
export function enterRequest(
  exchange: Exchange,
  named: NamedCall,
  deployments: readonly Deployment[],
  { decide, prices }: EnterRequestDeps,
): void | Promise<void> {
  const isLent =
    exchange.principal.kind === 'caller' &&
    lendEntry(exchange, { are: 'some', upstreams: deployments.map(({ upstream }) => upstream) })
  const model = nameCall(exchange, named.model)
  const limits = limitsOfCaller(exchange)
  if (limits === undefined) return undefined
  if (isLent) assertEndpointPermitted(limits, exchange)
  assertCallPermitted(limits, exchange, { model, value: named.value })
  // What makes nothing takes no request and no place, as at OpenAI.
  if (isReading(exchange.request.method) && !exchange.isUpgrade && exchange.body === undefined) return undefined
  const demand = requestDemand(limits, model)
  if (demand === undefined) return undefined
  const deciding = decide(demand, () => mayCost(exchange, model, deployments, prices))
  const keep = (grant: Grant): void => hold(exchange, grant, demand.rates)
  return deciding instanceof Promise ? deciding.then(keep) : keep(deciding)
}

/**
 * Notes the model that a call asks for, where its body has not told it: the one in its target, else the one that OpenAI takes where none is
 * named. Gives it; undefined: nobody knows it before the answer. `told`: what the body names.
 */
function nameCall(exchange: Exchange, told: string | undefined): string | undefined {
  const known = told ?? exchange.model
  if (known !== undefined) return known
  const use = useOfRequest(exchange)
  if (use.counted !== 'call') return undefined
  const { named } = readTarget(exchange.requestTarget)
  exchange.model = named === undefined || named === 'unclear' ? use.defaultModel : named.model
  return exchange.model
}

/**
 * Has an exchange keep its place to its end. A request that another of its caller's limits refuses then counts as none: nothing is taken of a
 * call that is not made.
 */
function hold(exchange: Exchange, { requests, reservation }: Grant, rates: LimitedDemand['rates']): void {
  exchange.requestRate = requests
  exchange.atEnd(() => {
    const units = isLimitRefusal(exchange.error) ? rates.map(() => 0) : undefined
    reservation.end({ cost: 0n, booking: undefined, ...(units !== undefined && { units }) })
  })
}

/** Whether a request may cost its caller money: it is a call of a model that has a price, or of one whose price nobody knows. */
function mayCost(
  exchange: Exchange,
  model: string | undefined,
  deployments: readonly Deployment[],
  prices: PriceBook,
): boolean {
  if (useOfRequest(exchange).counted !== 'call') return false
  return deployments.some(({ upstream, model: own }) => {
    if (payerOf(exchange.principal, upstream) === 'caller') return false
    return prices.priceOf(upstream.provider, upstream.name, own ?? model ?? '')?.by !== 'free'
  })
}
