import type { Secret } from '../../config/secret.ts'
import type { ModelSettings } from '../../config/sections/models.ts'
import type { ResilienceSettings } from '../../config/sections/resilience.ts'
import type { UpstreamSettings } from '../../config/sections/upstreams/upstream.ts'
import type { Settings } from '../../config/settings.ts'
import { memoize } from '../../formats/bounded-memo.ts'
import { fillStar, isWildcard } from '../../formats/text/wildcards.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Deadlines } from '../../timing/deadlines.ts'
import type { BreakerState, DeploymentHealth } from '../health/deployment-health.ts'
import type { Account } from './call-report.ts'
import type { ConcurrencyLimiter } from './concurrency-limiter.ts'
import { deploymentLabel } from './deployment-label.ts'
import { DeploymentRegistry, type DeploymentRegistryDeps, type RegisteredDeployment } from './deployment-registry.ts'
import { createWildcardMatcher } from './model-names.ts'
import { createOrdering } from './ordering.ts'
import { type Plan, type PlannedDeployment, planModel, planUpstream } from './plan.ts'

/** What a router needs of the world. */
export interface RouterDeps {
  /** Monotonic, in ms. */
  readonly now: () => number
  /** 0 ≤ x < 1. */
  readonly random: () => number
  readonly deadlines: Deadlines
  /** Is told when a deployment's breaker opens or closes. */
  readonly onBreaker?: DeploymentRegistryDeps['onBreaker']
}

/** One target with one key: what an attempt is made at. */
export interface Deployment {
  /** For logs, headers and /ready: `openai`, `openai/gpt-4o`, with `#2` behind it for the second key of a pool. */
  readonly label: string
  readonly upstream: UpstreamSettings
  /** The name that the upstream knows the model by, with `*` filled in; undefined: as the caller wrote it. */
  readonly model: string | undefined
  readonly key: Secret | undefined
  /** From 0. */
  readonly keyIndex: number
  readonly health: DeploymentHealth
  /** Of the upstream: shared by all its deployments. */
  readonly limiter: ConcurrencyLimiter
}

/** Where one kind of request may go. */
export interface Route {
  /** The entry of `models` that decided; undefined: none. */
  readonly model: ModelSettings | undefined
  readonly resilience: ResilienceSettings
  readonly deployments: readonly Deployment[]
  /** The name that a caller has used for the model of the object that the request speaks of, where its answers are to give that. */
  readonly alias?: string
  /**
   * The deployments in the order in which this request is to try them. Deployments whose breaker is open and that cool down are left
   * out; of the others, those whose limiter is full come last.
   *
   * Where none is left: the one that opens again first (`allOpen: try`), or throws `upstream_unavailable` with the seconds
   * until then (`refuse`).
   */
  readonly order: (choice: Choice) => readonly Deployment[]
}

/** What a request brings to the choice among deployments. */
export interface Choice {
  /** The same for all requests that had better go to the same deployment; see `affinityOf`. */
  readonly affinity?: string | undefined
  /** On whose account it would ask a deployment; absent: always the server's. */
  readonly accountOf?: (deployment: Deployment) => Account
}

/** One deployment's state, as `/ready` shows it. Keys never appear. */
export interface DeploymentState {
  readonly target: string
  readonly state: BreakerState
  readonly in_flight: number
  /** Calls that wait for a place at its upstream, by whichever deployment. */
  readonly queued: number
  readonly ttfb_ms: number | null
  /** Until it is asked again, where it is left alone now: its breaker is open, or it cools down. */
  readonly open_for_ms?: number
}

/** Decides where requests go; sends nothing. */
export interface Router {
  /**
   * Where a model leads; without one, to the default upstream. Throws `model_not_found` for a name that no entry of
   * `models` fits, where the settings refuse those.
   */
  readonly route: (model: string | undefined) => Route
  /**
   * Where everything of one upstream leads: pins and remembered ids; with a `keyIndex`, only by that key. What a reload has
   * taken away gives way to what is there: any key of the upstream's, or the default upstream.
   */
  readonly routeTo: (upstream: string, keyIndex?: number) => Route
  /** Every deployment that a route may lead to. */
  readonly deployments: () => readonly RegisteredDeployment[]
  /** Every deployment's state. */
  readonly states: () => readonly DeploymentState[]
  readonly settings: Settings
}

/** What a later router takes over. */
const REGISTRIES = new WeakMap<Router, DeploymentRegistry>()

/** Names are the callers', so there is no end of them. */
const REMEMBERED = { entriesMax: 1000, keyCharsMax: 256 } as const
const NAME_CHARS_SHOWN = 100

/**
 * Makes the router of some settings. `previous`, in a reload, gives it the state of the deployments and limiters that stay; that one
 * goes on working for the requests that have its routes.
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
      const deployments = registry.lanesOf(upstream, undefined)
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
    states: () => registry.all().map(stateOf),
    settings,
  }
  REGISTRIES.set(router, registry)
  return router
}

/** Finds the route for a name: exact names first, then wildcards. */
function createFind(
  plans: readonly Plan[],
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
    const shown = name.slice(0, NAME_CHARS_SHOWN)
    throw new ApiError('model_not_found', {
      message: `The model \`${shown}\` does not exist or you do not have access to it.`,
    })
  }, REMEMBERED)
  return (name) => exact.get(name) ?? findOther(name)
}

/** A name that a wildcard fits, and what its `*` stands for. */
interface Named {
  readonly name: string
  readonly star: string
}

function routeOf(plan: Plan, { random }: RouterDeps, named?: Named): Route {
  const { model, resilience, strategy, turns } = plan
  const candidates = plan.candidates.map((candidate) => ({
    ...candidate,
    deployment: deploymentOf(candidate.deployment, named),
  }))
  const order = createOrdering({ candidates, strategy, allOpen: resilience.allOpen, turns, random })
  return {
    model,
    resilience,
    deployments: candidates.map(({ deployment }) => deployment),
    order: ({ affinity, accountOf }) => order(affinity, accountOf),
  }
}

function deploymentOf({ registered, model }: PlannedDeployment, named: Named | undefined): Deployment {
  if (named === undefined) return { ...registered, model }
  const filled = model && fillStar(model, named.star)
  const label = deploymentLabel(registered.upstream.name, filled ?? named.name, registered.keyIndex)
  return { ...registered, label, model: filled }
}

function stateOf({ label, health, limiter }: RegisteredDeployment): DeploymentState {
  const averageMs = health.averageMs()
  const waitMs = health.waitMs()
  return {
    target: label,
    state: health.state(),
    in_flight: health.inFlight(),
    queued: limiter.queued(),
    ttfb_ms: averageMs === undefined ? null : Math.round(averageMs),
    ...(waitMs > 0 && { open_for_ms: Math.ceil(waitMs) }),
  }
}

/** What the settings call by name; that it is there was checked when they were read. */
function needed<T>(things: ReadonlyMap<string, T>, name: string): T {
  const thing = things.get(name)
  if (thing === undefined) throw new Error(`The settings name an upstream that they do not have: ${name}`)
  return thing
}
