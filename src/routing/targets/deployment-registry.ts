import type { Secret } from '../../config/secret.ts'
import type { UpstreamSettings } from '../../config/sections/upstreams/upstream.ts'
import type { Deadlines } from '../../timing/deadlines.ts'
import type { OnBreakerChange } from '../health/circuit-breaker.ts'
import { createDeploymentHealth, type DeploymentHealth } from '../health/deployment-health.ts'
import { KeyRest } from '../health/key-rest.ts'
import { type ConcurrencyLimiter, createConcurrencyLimiter } from './concurrency-limiter.ts'
import { type Deployment, deploymentLabel } from './deployment.ts'
import { hashOf, type TextHash } from './rendezvous.ts'

/** A deployment as its registry keeps it: `*` may stand in its model's name. */
export interface RegisteredDeployment extends Deployment {
  /** The hash of its identity: the same after a reload, and in every process. */
  readonly hash: TextHash
}

/** The dependencies of a registry. */
export interface DeploymentRegistryDeps {
  /** A monotonic clock, in ms. */
  readonly now: () => number
  readonly deadlines: Deadlines
  /** Is told when a deployment's breaker opens or closes. */
  readonly onBreaker?: ((label: string, turn: Parameters<OnBreakerChange>[0]) => void) | undefined
}

/**
 * The deployments of one router, their upstreams' limiters and their keys' rests. Those of the registry before it go on under the new
 * settings: a deployment with the same upstream's name, base URL, model and key, and a limiter of the same name.
 */
export class DeploymentRegistry {
  readonly #deps: DeploymentRegistryDeps
  readonly #deployments = new Map<string, RegisteredDeployment>()
  readonly #limiters = new Map<string, ConcurrencyLimiter>()
  readonly #rests = new Map<string, KeyRest>()
  readonly #formerDeployments: ReadonlyMap<string, RegisteredDeployment>
  readonly #formerLimiters: ReadonlyMap<string, ConcurrencyLimiter>
  readonly #formerRests: ReadonlyMap<string, KeyRest>

  constructor(deps: DeploymentRegistryDeps, previous?: DeploymentRegistry) {
    this.#deps = deps
    // Its maps, and not the registry itself, which would keep all registries before it.
    this.#formerDeployments = previous === undefined ? new Map() : previous.#deployments
    this.#formerLimiters = previous === undefined ? new Map() : previous.#limiters
    this.#formerRests = previous === undefined ? new Map() : previous.#rests
  }

  /** Gives the deployments of an upstream's model, one for each of its keys; without a `model`, those for any model. */
  deploymentsOf(upstream: UpstreamSettings, model: string | undefined): readonly RegisteredDeployment[] {
    const isServerKey = upstream.auth === 'server' || upstream.auth === 'either'
    const keys = isServerKey && upstream.keys.length > 0 ? upstream.keys : [undefined]
    return keys.map((key, keyIndex) => {
      const identity = JSON.stringify([upstream.name, upstream.baseUrl, model, key?.reveal()])
      const known = this.#deployments.get(identity)
      if (known !== undefined) return known
      const label = deploymentLabel(upstream.name, model, keyIndex)
      const deployment = {
        label,
        upstream,
        model,
        key,
        keyIndex,
        hash: hashOf(identity),
        health: this.#healthOf(identity, label, upstream, key),
        limiter: this.#limiterOf(upstream),
      }
      this.#deployments.set(identity, deployment)
      return deployment
    })
  }

  /** Gives every deployment, in the order in which they were first asked for. */
  all(): readonly RegisteredDeployment[] {
    return [...this.#deployments.values()]
  }

  #healthOf(identity: string, label: string, upstream: UpstreamSettings, key: Secret | undefined): DeploymentHealth {
    const { breaker } = upstream
    // Also where the deployment is known: the rest of its key is configured by this upstream.
    const rest = key === undefined ? undefined : this.#restOf(upstream, key)
    const health = this.#formerDeployments.get(identity)?.health
    const { now, onBreaker } = this.#deps
    if (health === undefined) return createDeploymentHealth(breaker, now, rest, (turn) => onBreaker?.(label, turn))
    health.configure(breaker)
    return health
  }

  /** A key is good or bad for all models of its upstream. */
  #restOf({ name, baseUrl, breaker }: UpstreamSettings, key: Secret): KeyRest {
    const identity = JSON.stringify([name, baseUrl, key.reveal()])
    const known = this.#rests.get(identity)
    if (known !== undefined) return known
    const rest = this.#formerRests.get(identity) ?? new KeyRest(breaker, this.#deps.now)
    rest.configure(breaker)
    this.#rests.set(identity, rest)
    return rest
  }

  #limiterOf({ name, concurrency }: UpstreamSettings): ConcurrencyLimiter {
    const known = this.#limiters.get(name)
    if (known !== undefined) return known
    const limiter = this.#formerLimiters.get(name) ?? createConcurrencyLimiter(concurrency, this.#deps.deadlines)
    limiter.configure(concurrency)
    this.#limiters.set(name, limiter)
    return limiter
  }
}
