import type { ModelSettings, Strategy } from '../../config/sections/models.ts'
import type { ResilienceSettings } from '../../config/sections/resilience.ts'
import type { UpstreamSettings } from '../../config/sections/upstreams/upstream.ts'
import { isWildcard } from '../../formats/text/wildcards.ts'
import type { DeploymentRegistry, RegisteredDeployment } from './deployment-registry.ts'
import type { Rotation } from './ordering.ts'
import type { Candidate } from './rank.ts'

/** All that is known of routes before a request names a model. */
export interface RoutePlan {
  /** The name of the entry of `models`; empty: there is none. */
  readonly name: string
  readonly model: ModelSettings | undefined
  readonly resilience: ResilienceSettings
  readonly strategy: Strategy
  /** Those of lower order first. A model's name may hold `*`. */
  readonly candidates: readonly Candidate<RegisteredDeployment>[]
  readonly rotation: Rotation
}

/**
 * Plans the routes of a model. All models of a wildcard's target share the health of their upstream's key, since callers choose the names
 * and there is no end of them.
 */
export function planModel(
  model: ModelSettings,
  upstreamOf: (name: string) => UpstreamSettings,
  registry: DeploymentRegistry,
): RoutePlan {
  const candidates = model.targets.flatMap((target, number) => {
    const isOpen = isWildcard(target.model ?? model.name)
    const deployments = registry.deploymentsOf(
      upstreamOf(target.upstream),
      isOpen ? undefined : (target.model ?? model.name),
    )
    return deployments.map((registered): Candidate<RegisteredDeployment> => {
      const { order, weight } = target
      const deployment = { ...registered, model: target.model }
      return { deployment, order, target: number, weight: weight / deployments.length, hash: registered.hash }
    })
  })
  return {
    name: model.name,
    model,
    resilience: model.resilience,
    strategy: model.strategy,
    candidates: candidates.toSorted((left, right) => left.order - right.order),
    rotation: { turn: 0 },
  }
}

/** Plans the route to some deployments of one upstream for any model: its keys take turns. */
export function planUpstream(deployments: readonly RegisteredDeployment[], resilience: ResilienceSettings): RoutePlan {
  const candidates = deployments.map(
    (registered): Candidate<RegisteredDeployment> => ({
      deployment: { ...registered, model: undefined },
      order: 0,
      target: 0,
      weight: 1,
      hash: registered.hash,
    }),
  )
  return { name: '', model: undefined, resilience, strategy: 'order', candidates, rotation: { turn: 0 } }
}
