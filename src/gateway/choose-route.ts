import type { PinSettings } from '../config/sections/pins.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { STATEFUL_RESOURCES } from '../openai/stateful-resources.ts'
import type { Draft } from '../requests/draft.ts'
import { namedIds, pathOf } from '../routing/named-ids.ts'
import type { RememberedIds, Whereabouts } from '../routing/remembered-ids.ts'
import type { Live } from '../routing/snapshot.ts'
import type { Route } from '../routing/targets/router.ts'
import type { Store } from '../storage/store.ts'

/** Settings that are in force, and what remembers objects for several processes, where something does. */
type Routing = Live & { readonly sharedStore?: Store | undefined }

/**
 * Chooses where a request goes: to whoever holds the object that it speaks of, else where its resource is pinned to, else
 * where its model leads. A promise where a store has to be asked for the object.
 *
 * `target` is the caller's request target. Throws `model_not_found`.
 */
export function chooseRoute(target: string, draft: Draft, live: Routing, ids: RememberedIds): Route | Promise<Route> {
  const byModel = live.router.route(draft.model)
  const { sharedStore, remembersIds } = live
  if (!remembersIds) return byModel
  const byPin = (): Route => pinned(target, byModel, live)
  // Most servers never see an object.
  if (sharedStore === undefined && ids.isEmpty()) return byPin()
  const { certain: written, possible } = namedIds(pathOf(target), draft.value)
  const certain = isTuned(draft.model) && byModel.model === undefined ? [...written, draft.model] : written
  const near = ids.find(certain) ?? ids.find(possible)
  if (near !== undefined) return held(byModel, near, live, ids)
  if (sharedStore === undefined || certain.length === 0) return byPin()
  return ids
    .findIn(sharedStore, certain)
    .then((where) => (where === undefined ? byPin() : held(byModel, where, live, ids)))
}

/** A model that a job of somebody's has made is an object of that account, as its files are. */
function isTuned(model: string | undefined): model is string {
  return model?.startsWith('ft:') === true
}

function pinned(target: string, byModel: Route, { router, settings }: Live): Route {
  const resource = endpointOf(target).split('/', 1)[0] ?? ''
  const pin = STATEFUL_RESOURCES.has(resource) ? settings.pins[resource] : undefined
  return pin === undefined ? byModel : within(byModel, router.routeTo(pin.upstream, pin.keyIndex), pin)
}

function held(byModel: Route, where: Whereabouts, { router, settings }: Live, ids: RememberedIds): Route {
  const { upstream, key, alias } = where
  const keys = settings.upstreams.find(({ name }) => name === upstream)?.keys ?? []
  const at = keys.findIndex((one) => ids.keyDigest(one) === key)
  const keyIndex = at === -1 ? undefined : at
  const route = within(byModel, router.routeTo(upstream, keyIndex), { upstream, keyIndex })
  return alias === undefined ? route : { ...route, alias }
}

/** The deployments of the model's route that lead to a holder, so that its own name for the model is used; else the holder's. */
function within(byModel: Route, toHolder: Route, holder: PinSettings): Route {
  const isHolders = byModel.deployments.filter(
    ({ upstream, keyIndex }) =>
      upstream.name === holder.upstream && (holder.keyIndex === undefined || keyIndex === holder.keyIndex),
  )
  if (byModel.model === undefined || isHolders.length === 0) return toHolder
  return { ...byModel, deployments: isHolders, order: () => isHolders }
}
