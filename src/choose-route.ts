import { STATEFUL_RESOURCES } from './config/stateful-resources.ts'
import type { Draft } from './draft.ts'
import type { Live } from './live.ts'
import { endpointOf } from './openai/endpoint-of.ts'
import { idsIn, type RememberedIds } from './router/remembered-ids.ts'
import type { Route } from './router/router.ts'

/**
 * Chooses where a request goes: to whoever holds the object that it speaks of, else where its resource is pinned to, else
 * where its model leads.
 *
 * `target` is the caller's request target. Throws `model_not_found`.
 */
export function chooseRoute(target: string, draft: Draft, live: Live, ids: RememberedIds): Route {
  const { router, settings, remembersIds } = live
  const byModel = router.route(draft.model)
  if (!remembersIds) return byModel
  const endpoint = endpointOf(target)
  const resource = endpoint.split('/', 1)[0] ?? ''
  for (const id of idsIn(endpoint, draft.value)) {
    const holder = ids.find(id)
    if (holder !== undefined) return within(byModel, router.routeTo(holder.upstream, holder.keyIndex), holder)
  }
  const pin = STATEFUL_RESOURCES.has(resource) ? settings.pins[resource] : undefined
  return pin === undefined ? byModel : within(byModel, router.routeTo(pin), { upstream: pin })
}

/** The lanes of the model's route that lead to a holder, so that its own name for the model is used; else the holder's. */
function within(byModel: Route, held: Route, holder: { upstream: string; keyIndex?: number }): Route {
  const isHolders = byModel.lanes.filter(
    ({ upstream, keyIndex }) =>
      upstream.name === holder.upstream && (holder.keyIndex === undefined || keyIndex === holder.keyIndex),
  )
  if (byModel.model === undefined || isHolders.length === 0) return held
  return { ...byModel, lanes: isHolders, order: () => isHolders }
}
