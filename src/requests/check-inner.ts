import { ApiError } from '../openai/api-error.ts'
import type { InnerModel } from '../openai/inner-models.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { Route } from '../routing/targets/router.ts'

/**
 * Refuses a request that names a model within its body or in a header, where its route does not serve that model under the same name: the
 * gateway does not replace names in these places by the upstream's own.
 *
 * Throws `model_not_found`, also for a model that the caller may not use, or `rules_not_applicable` for a name that stands for another model, or for the model of another upstream.
 *
 * @example
 * checkInner(outgoing.inner, route, snapshot)
 */
export function checkInner(
  inner: readonly InnerModel[],
  { deployments }: Route,
  { router, settings, assertPermitted }: Snapshot,
): void {
  if (assertPermitted !== undefined) for (const { model } of inner) assertPermitted(model)
  if (inner.length === 0 || (settings.models.length === 0 && settings.unknownModels === 'pass')) return
  for (const { model, param } of inner) {
    const known = router.route(model)
    if (known.model === undefined) continue
    const isKept = deployments.every(({ upstream }) =>
      known.deployments.some(
        (deployment) => deployment.upstream.name === upstream.name && (deployment.model ?? model) === model,
      ),
    )
    if (isKept) continue
    throw new ApiError('rules_not_applicable', {
      message: `The model in '${param}' is this server's name for another one, or for one of another upstream, and can be used only as the model of a request of its own.`,
      param,
    })
  }
}
