import type { PinSettings } from '../config/sections/pins.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { STATEFUL_RESOURCES } from '../openai/resources.ts'
import type { OutgoingBody } from '../requests/outgoing-body.ts'
import { namedIds, pathOf } from '../routing/named-ids.ts'
import type { ObjectOwner, RememberedIds } from '../routing/remembered-ids.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { Route } from '../routing/targets/router.ts'
import type { Store } from '../storage/store.ts'

/** The settings in force, and the store that remembers objects for several processes, where there is one. */
type Routing = Snapshot & { readonly sharedStore?: Store | undefined }

/**
 * Chooses where a request goes: to the upstream that holds the object that it names, else to the one that its resource is pinned to,
 * else by its model. A promise where a store has to be asked for the object.
 *
 * `target` is the caller's request target. Throws `model_not_found`.
 */
export function chooseRoute(
  target: string,
  outgoing: OutgoingBody,
  snapshot: Routing,
  ids: RememberedIds,
): Route | Promise<Route> {
  const byModel = snapshot.router.route(outgoing.model)
  const { sharedStore, remembersIds } = snapshot
  if (!remembersIds) return byModel
  const byPin = (): Route => pinned(target, byModel, snapshot)
  // Most servers never see an object.
  if (sharedStore === undefined && ids.isEmpty()) return byPin()
  const byObject = (body: unknown): Route | Promise<Route> => {
    const { certain: written, possible } = namedIds(pathOf(target), body)
    const certain = isTuned(outgoing.model) && byModel.model === undefined ? [...written, outgoing.model] : written
    const near = ids.find(certain) ?? ids.find(possible)
    if (near !== undefined) return held(byModel, near, snapshot, ids)
    if (sharedStore === undefined || certain.length === 0) return byPin()
    return ids
      .findIn(sharedStore, certain)
      .then((where) => (where === undefined ? byPin() : held(byModel, where, snapshot, ids)))
  }
  const { partlyRead } = outgoing
  const idTexts = partlyRead?.unread?.idTexts ?? []
  if (partlyRead === undefined || idTexts.length === 0) return byObject(partlyRead?.outline ?? outgoing.value)
  // A long body is read as a whole only where a text in it is the id of a known object, or another process may know it.
  if (sharedStore === undefined && ids.find(idTexts) === undefined) return byObject(partlyRead.outline)
  const reading = partlyRead.readWhole()
  return reading instanceof Promise ? reading.then(({ value }) => byObject(value)) : byObject(reading.value)
}

/** A model that an account's job has made is an object of that account, as its files are. */
function isTuned(model: string | undefined): model is string {
  return model?.startsWith('ft:') === true
}

function pinned(target: string, byModel: Route, { router, settings }: Snapshot): Route {
  const resource = endpointOf(target).split('/', 1)[0] ?? ''
  const pin = STATEFUL_RESOURCES.has(resource) ? settings.pins[resource] : undefined
  return pin === undefined ? byModel : within(byModel, router.routeTo(pin.upstream, pin.keyIndex), pin)
}

function held(byModel: Route, where: ObjectOwner, { router, settings }: Snapshot, ids: RememberedIds): Route {
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
