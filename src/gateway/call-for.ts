import type { Cassettes } from '../cassettes/cassettes.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { fitBody, withPresetsPart } from '../requests/fit-body.ts'
import type { OutgoingBody } from '../requests/outgoing-body.ts'
import type { NamedObjects } from '../requests/remember-objects.ts'
import { ownLimit, type TimeLimits } from '../routing/attempts/limit-time.ts'
import type { UpstreamRequest } from '../routing/attempts/upstream-request.ts'
import { type AddressDeps, addressDeployment, wantedFrom } from '../routing/deployment-address.ts'
import type { Deployment, Route } from '../routing/targets/router.ts'
import type { Generation } from './generation.ts'
import { isRenamed } from './rename-answer.ts'

/** What is known of a request when its targets are asked. */
export interface Going {
  readonly exchange: Exchange
  readonly outgoing: OutgoingBody
  /** What its answer may name; undefined: nothing that has to be remembered. */
  readonly objects: NamedObjects | undefined
  readonly route: Route
  readonly snapshot: Generation
}

/** What making a call needs. */
export interface CallDeps extends AddressDeps {
  readonly timeouts: TimeLimits
  readonly cassettes: Cassettes | undefined
}

/** What callers tell the cache, and no upstream. */
const OWN_REQUEST_HEADERS = ['x-nexcode-cache-key', 'x-nexcode-cache-ttl'] as const

/**
 * Makes the call as it goes to one deployment: its address, and its name for the model.
 *
 * @example
 * const call = callFor(going, deployment, exchange.abort, deps)
 */
export function callFor(going: Going, deployment: Deployment, abort: AbortController, deps: CallDeps): UpstreamRequest {
  const { exchange, outgoing, route, snapshot: generation } = going
  const { request, requestTarget: callersTarget } = exchange
  const model = outgoing.modelFor(deployment)
  const fitted = fitBody(outgoing, deployment, model, callersTarget, generation)
  if (generation.fitsBodies) exchange.params = withPresetsPart(exchange.params, fitted?.receipt ?? '')
  const wanted = wantedFrom(exchange, model === null ? undefined : (model ?? outgoing.model))
  const address = addressDeployment(exchange, deployment, wanted, generation, deps)
  const { headers } = address
  if (!headers.has('user-agent')) headers.set('user-agent', deps.userAgent)
  if (fitted !== undefined || outgoing.isChangedFor(model)) {
    // A changed body goes on decoded, with the length that it has now.
    headers.delete('content-encoding')
    headers.delete('content-length')
  }
  if (generation.settings.cache.store !== undefined) for (const name of OWN_REQUEST_HEADERS) headers.delete(name)
  // An answer that is recorded, in which a name is to be changed, or ids are to be found, has to be readable.
  const isReadable = deps.cassettes?.record !== undefined || isRenamed(going) || going.objects !== undefined
  if (isReadable) headers.set('accept-encoding', 'identity')
  const body = fitted?.body ?? outgoing.bodyFor(model)
  const streamIdleMs = ownLimit('streamIdleMs', route, deployment) ?? deps.timeouts.streamIdleMs
  const limits = { firstByteMs: ownLimit('firstByteMs', route, deployment), streamIdleMs }
  return { ...address, method: request.method, body, abort, ...limits }
}
