import type { Authorize } from '../access/authorize.ts'
import type { Arrival, BodilessRequest } from '../exchange/arrival.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Handler } from '../exchange/stage.ts'
import { type Relay, relayOf } from '../gateway/upgrade.ts'
import type { UpgradeWatch } from '../gateway/upgrade-watch.ts'
import type { Log } from '../telemetry/log.ts'
import { answerError } from './error-handler.ts'
import { guardRequest } from './guard.ts'
import { guardAdministration, isServed, passthroughName, unknownUrl } from './routes/openai.ts'

/** The decision on an upgrade request: it goes upstream, or is refused. */
export type Upgrade =
  | (Omit<Relay, 'onUnanswered'> & UpgradeWatch<Upgrade> & { readonly kind: 'relay' })
  | { readonly kind: 'refused'; readonly response: Response }

/** The dependencies of the decision on an upgrade. */
export interface UpgradeDeciderDeps {
  readonly open: (request: BodilessRequest, arrival: Arrival) => Exchange
  readonly authorize: Authorize
  readonly flow: Handler
  readonly hasLedger: boolean
  readonly log: Log
}

/**
 * Makes the decision on WebSocket upgrades: the guard, door and flow of every other request.
 *
 * @example
 * const upgrade = createUpgrade({ open, authorize, flow, hasLedger, log })
 */
export function createUpgrade(
  deps: UpgradeDeciderDeps,
): (request: BodilessRequest, arrival: Arrival) => Promise<Upgrade> {
  const { open, authorize, flow, hasLedger, log } = deps
  return async (request, arrival) => {
    const exchange = open(request, arrival)
    const { requestTarget: target } = exchange
    exchange.endpointName = passthroughName(target)
    exchange.stream = true
    exchange.isUpgrade = true
    const refuse = (thrown: unknown): Upgrade => ({ kind: 'refused', response: answerError(thrown, exchange, log) })
    const relayBy = (relay: Relay): Upgrade => ({
      ...relay,
      kind: 'relay',
      onUnanswered: async (error) => {
        try {
          const another = await relay.onUnanswered(error)
          return another && relayBy(another)
        } catch (thrown) {
          return refuse(thrown)
        }
      },
    })
    try {
      guardRequest(request.method, target, request.headers)
      exchange.identify(authorize(exchange))
      exchange.findCaller = () => authorize(exchange)
      if (!isServed(target)) throw unknownUrl(request.method, target)
      guardAdministration(exchange, hasLedger)
      const answer = await flow(exchange)
      const relay = relayOf(answer)
      return relay === undefined ? { kind: 'refused', response: answer } : relayBy(relay)
    } catch (thrown) {
      return refuse(thrown)
    }
  }
}
