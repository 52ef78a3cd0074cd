import type { Principal } from '../access/authorize.ts'
import type { Cassettes } from '../cassettes/cassettes.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { JsonEndpoint } from '../openai/endpoints.ts'
import type { Draft } from '../requests/draft.ts'
import { fitDraft, withPresetsPart } from '../requests/fit-draft.ts'
import type { NamedObjects } from '../requests/remember-objects.ts'
import { ownLimit, type TimeLimits } from '../routing/attempts/limit-time.ts'
import type { UpstreamRequest } from '../routing/attempts/upstream-request.ts'
import { type AddressDeps, addressDeployment, wantedFrom } from '../routing/deployment-address.ts'
import type { Deployment, Route } from '../routing/targets/router.ts'
import type { Serving } from './live-parts.ts'
import { isRenamed } from './rename-answer.ts'

/** What is known of a request when its targets are asked. */
export interface Going {
  readonly exchange: Exchange
  readonly principal: Principal
  readonly endpoint: JsonEndpoint | undefined
  readonly draft: Draft
  /** What its answer may name; undefined: nothing that has to be remembered. */
  readonly objects: NamedObjects | undefined
  readonly route: Route
  readonly live: Serving
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
  const { exchange, principal, draft, route, live } = going
  const { request, target: callersTarget } = exchange
  const model = draft.modelFor(deployment)
  const fitted = fitDraft(draft, deployment, model, callersTarget, live)
  if (live.fitsBodies) exchange.params = withPresetsPart(exchange.params, fitted?.done ?? '')
  const wanted = wantedFrom(exchange, model === null ? undefined : (model ?? draft.model))
  const address = addressDeployment(exchange, principal, deployment, wanted, live, deps)
  const { headers } = address
  if (!headers.has('user-agent')) headers.set('user-agent', deps.userAgent)
  if (fitted !== undefined || draft.isChangedFor(model)) {
    // A changed body goes on decoded, with the length that it has now.
    headers.delete('content-encoding')
    headers.delete('content-length')
  }
  if (live.settings.cache.store !== undefined) for (const name of OWN_REQUEST_HEADERS) headers.delete(name)
  // An answer that is recorded, in which a name is to be changed, or ids are to be found, has to be readable.
  const isReadable = deps.cassettes?.record !== undefined || isRenamed(going) || going.objects !== undefined
  if (isReadable) headers.set('accept-encoding', 'identity')
  const body = fitted?.body ?? draft.bodyFor(model)
  const streamIdleMs = ownLimit('streamIdleMs', route, deployment) ?? deps.timeouts.streamIdleMs
  const limits = { firstByteMs: ownLimit('firstByteMs', route, deployment), streamIdleMs }
  return { ...address, method: request.method, body, abort, ...limits }
}
