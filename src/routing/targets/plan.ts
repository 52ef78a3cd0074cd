import type { ModelSettings, Strategy } from '../../config/sections/models.ts'
import type { ResilienceSettings } from '../../config/sections/resilience.ts'
import type { UpstreamSettings } from '../../config/sections/upstreams/upstream.ts'
import { isWildcard } from '../../formats/text/wildcards.ts'
import type { DeploymentRegistry, RegisteredDeployment } from './deployment-registry.ts'
import type { Turns } from './ordering.ts'
import type { Candidate } from './rank.ts'

/** A deployment, and the model's name with its upstream as a target has it. */
export interface PlannedDeployment {
  readonly registered: RegisteredDeployment
  /** May hold `*`; undefined: as the caller writes it. */
  readonly model: string | undefined
}

/** All that can be known of routes before a request names a model. */
export interface Plan {
  /** The entry's of `models`; empty: there is none. */
  readonly name: string
  readonly model: ModelSettings | undefined
  readonly resilience: ResilienceSettings
  readonly strategy: Strategy
  /** Those of lower order first. */
  readonly candidates: readonly Candidate<PlannedDeployment>[]
  readonly turns: Turns
}

/**
 * Plans the routes of a model. All models that a wildcard's target serves share the health of their upstream's key: callers
 * choose the names, and there is no end of them.
 */
export function planModel(
  model: ModelSettings,
  upstreamOf: (name: string) => UpstreamSettings,
  registry: DeploymentRegistry,
): Plan {
  const candidates = model.targets.flatMap((target, number) => {
    const isOpen = isWildcard(target.model ?? model.name)
    const deployments = registry.lanesOf(upstreamOf(target.upstream), isOpen ? undefined : (target.model ?? model.name))
    return deployments.map((registered): Candidate<PlannedDeployment> => {
      const { order, weight } = target
      const deployment = { registered, model: target.model }
      return { deployment, order, target: number, weight: weight / deployments.length, hash: registered.hash }
    })
  })
  return {
    name: model.name,
    model,
    resilience: model.resilience,
    strategy: model.strategy,
    candidates: candidates.toSorted((left, right) => left.order - right.order),
    turns: { turn: 0 },
  }
}

/** Plans the route to some deployments of one upstream, whatever the model: its keys take turns. */
export function planUpstream(deployments: readonly RegisteredDeployment[], resilience: ResilienceSettings): Plan {
  const candidates = deployments.map(
    (registered): Candidate<PlannedDeployment> => ({
      deployment: { registered, model: undefined },
      order: 0,
      target: 0,
      weight: 1,
      hash: registered.hash,
    }),
  )
  return { name: '', model: undefined, resilience, strategy: 'order', candidates, turns: { turn: 0 } }
}
