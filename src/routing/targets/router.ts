import type { ModelSettings } from '../../config/sections/models.ts'
import type { ResilienceSettings } from '../../config/sections/resilience.ts'
import type { Settings } from '../../config/settings.ts'
import { memoize } from '../../formats/bounded-memo.ts'
import { fillStar, isWildcard } from '../../formats/text/wildcards.ts'
import { modelNotFound } from '../../openai/model-not-found.ts'
import type { Deadlines } from '../../timing/deadlines.ts'
import type { Account } from '../health/call-report.ts'
import { type Deployment, type DeploymentState, deploymentLabel, deploymentStateOf } from './deployment.ts'
import { DeploymentRegistry, type DeploymentRegistryDeps, type RegisteredDeployment } from './deployment-registry.ts'
import { createWildcardMatcher } from './model-names.ts'
import { createOrdering } from './ordering.ts'
import { planModel, planUpstream, type RoutePlan } from './route-plan.ts'

/** The dependencies of a router. */
export interface RouterDeps {
  /** A monotonic clock, in ms. */
  readonly now: () => number
  /** Gives 0 ≤ x < 1. */
  readonly random: () => number
  readonly deadlines: Deadlines
  /** Is told when a deployment's breaker opens or closes. */
  readonly onBreaker?: DeploymentRegistryDeps['onBreaker']
}

/** The deployments that may answer one kind of request, and their order. */
export interface Route {
  /** The entry of `models` that this route is for; undefined: none. */
  readonly model: ModelSettings | undefined
  readonly resilience: ResilienceSettings
  readonly deployments: readonly Deployment[]
  /** The caller's name for the model of the object that the request is about, where answers show that name. */
  readonly alias?: string
  /**
   * Gives the deployments in the order in which this request tries them. Those with an open breaker or a cool-down are left out; those
   * whose limiter is full come last.
   *
   * Where none is left, it gives the one that may be asked again first (`allOpen: try`), or throws `upstream_unavailable` with the
   * seconds until then (`refuse`).
   */
  readonly order: (choice: OrderOptions) => readonly Deployment[]
}

/** The facts about a request that decide the order of deployments. */
export interface OrderOptions {
  /** Equal for all requests that should go to the same deployment: see `affinityOf`. */
  readonly affinity?: string | undefined
  /** Says who would pay for the request's call to a deployment; absent: always the server. */
  readonly payerOf?: (deployment: Deployment) => Account
}

/** Decides where requests go; sends nothing. */
export interface Router {
  /**
   * Gives the route of a model; without a model, that of the default upstream. Throws `model_not_found` for a name that fits no entry of
   * `models`, where the settings refuse such names.
   */
  readonly route: (model: string | undefined) => Route
  /**
   * Gives the route to one upstream, for pins and remembered ids; with a `keyIndex`, only by that key. Where a reload has removed the key
   * or the upstream, the route is to any key of the upstream, or to the default upstream.
   */
  readonly routeTo: (upstream: string, keyIndex?: number) => Route
  /** Gives every deployment that a route may lead to. */
  readonly deployments: () => readonly RegisteredDeployment[]
  /** Gives every deployment's state. */
  readonly states: () => readonly DeploymentState[]
  readonly settings: Settings
}

/** The registries that later routers take over. */
const REGISTRIES = new WeakMap<Router, DeploymentRegistry>()

/** Names are the callers', so there is no end of them. */
const REMEMBERED = { entriesMax: 1000, keyCharsMax: 256 } as const

/**
 * Makes the router of some settings. In a reload, `previous` hands over the state of the deployments and limiters that stay, and goes on
 * working for the requests that have its routes.
 *
 * @example
 * const router = createRouter(settings, { now: () => performance.now(), random: Math.random, deadlines })
 * const deployments = router.route('gpt-4o').order({})
 */
export function createRouter(settings: Settings, deps: RouterDeps, previous?: Router): Router {
  const registry = new DeploymentRegistry(deps, previous === undefined ? undefined : REGISTRIES.get(previous))
  const upstreams = new Map(settings.upstreams.map((upstream) => [upstream.name, upstream]))
  const routesTo = new Map(
    settings.upstreams.map((upstream) => {
      const deployments = registry.deploymentsOf(upstream, undefined)
      const routeBy = (some: readonly RegisteredDeployment[]): Route =>
        routeOf(planUpstream(some, settings.resilience), deps)
      return [
        upstream.name,
        { all: routeBy(deployments), byKey: deployments.map((deployment) => routeBy([deployment])) },
      ]
    }),
  )
  const byDefault = needed(routesTo, settings.defaultUpstream)
  const plans = settings.models.map((model) => planModel(model, (name) => needed(upstreams, name), registry))
  const find = createFind(plans, settings, byDefault.all, deps)
  const isAlwaysDefault = plans.length === 0 && settings.unknownModels === 'pass'
  const router: Router = {
    route: isAlwaysDefault ? () => byDefault.all : (model) => (model === undefined ? byDefault.all : find(model)),
    routeTo(upstream, keyIndex) {
      const { all, byKey } = routesTo.get(upstream) ?? byDefault
      return (keyIndex === undefined ? undefined : byKey[keyIndex]) ?? all
    },
    deployments: () => registry.all(),
    states: () => registry.all().map(deploymentStateOf),
    settings,
  }
  REGISTRIES.set(router, registry)
  return router
}

/** Finds the route for a name: exact names first, then wildcards. */
function createFind(
  plans: readonly RoutePlan[],
  { unknownModels }: Settings,
  byDefault: Route,
  deps: RouterDeps,
): (name: string) => Route {
  const exact = new Map(plans.filter(({ name }) => !isWildcard(name)).map((plan) => [plan.name, routeOf(plan, deps)]))
  const match = createWildcardMatcher(plans)
  const findOther = memoize((name) => {
    const matched = match(name)
    if (matched !== undefined) return routeOf(matched.entry, deps, { name, star: matched.star })
    if (unknownModels === 'pass') return byDefault
    throw modelNotFound(name)
  }, REMEMBERED)
  return (name) => exact.get(name) ?? findOther(name)
}

/** A name that fits a wildcard, and the text that its `*` stands for. */
interface NamedModel {
  readonly name: string
  readonly star: string
}

function routeOf(plan: RoutePlan, { random }: RouterDeps, named?: NamedModel): Route {
  const { model, resilience, strategy, rotation: turns } = plan
  const candidates = plan.candidates.map((candidate) => {
    return { ...candidate, deployment: fillModel(candidate.deployment, named) }
  })
  const order = createOrdering({ candidates, strategy, allOpen: resilience.allOpen, rotation: turns, random })
  return {
    model,
    resilience,
    deployments: candidates.map(({ deployment }) => deployment),
    order: ({ affinity, payerOf }) => order(affinity, payerOf),
  }
}

/** Fills in the star of a wildcard's deployment. */
function fillModel(deployment: RegisteredDeployment, named: NamedModel | undefined): Deployment {
  if (named === undefined) return deployment
  const { upstream, keyIndex } = deployment
  const model = deployment.model && fillStar(deployment.model, named.star)
  return { ...deployment, label: deploymentLabel(upstream.name, model ?? named.name, keyIndex), model }
}

/** Gives the entry that the settings refer to by name. Its presence was checked when they were read. */
function needed<T>(things: ReadonlyMap<string, T>, name: string): T {
  const thing = things.get(name)
  if (thing === undefined) throw new Error(`The settings name an upstream that they do not have: ${name}`)
  return thing
}
