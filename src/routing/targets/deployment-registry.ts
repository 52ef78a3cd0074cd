import type { Secret } from '../../config/secret.ts'
import type { UpstreamSettings } from '../../config/sections/upstreams/upstream.ts'
import type { Deadlines } from '../../timing/deadlines.ts'
import { createDeploymentHealth, type DeploymentHealth, type OnBreakerTurn } from '../health/deployment-health.ts'
import { KeyRest } from '../health/key-rest.ts'
import { type ConcurrencyLimiter, createConcurrencyLimiter } from './concurrency-limiter.ts'
import { deploymentLabel } from './deployment-label.ts'
import { hashOf, type TextHash } from './rendezvous.ts'

/** What is kept of a deployment over reloads: all routes that lead to it share this. */
export interface RegisteredDeployment {
  /** With the model, where it serves one only. */
  readonly label: string
  readonly upstream: UpstreamSettings
  readonly key: Secret | undefined
  /** From 0. */
  readonly keyIndex: number
  /** Of what it is: the same after a reload, and in every process. */
  readonly hash: TextHash
  readonly health: DeploymentHealth
  /** Of the upstream: shared by all its deployments. */
  readonly limiter: ConcurrencyLimiter
}

/** What a registry needs. */
export interface DeploymentRegistryDeps {
  /** Monotonic, in ms. */
  readonly now: () => number
  readonly deadlines: Deadlines
  /** Is told when a deployment's breaker opens or closes. */
  readonly onBreaker?: ((label: string, turn: Parameters<OnBreakerTurn>[0]) => void) | undefined
}

/**
 * The deployments of one router, their upstreams' limiters and their keys' rests. What the registry before it knows of the same deployment (upstream's name
 * and base URL, model, key), or of a limiter of the same name, goes on under the new settings.
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
    // Its maps and not itself, which would keep all registries before it.
    this.#formerDeployments = previous === undefined ? new Map() : previous.#deployments
    this.#formerLimiters = previous === undefined ? new Map() : previous.#limiters
    this.#formerRests = previous === undefined ? new Map() : previous.#rests
  }

  /** The deployments of an upstream's model, one for each of its keys; without a `model`, those that serve any. */
  lanesOf(upstream: UpstreamSettings, model: string | undefined): readonly RegisteredDeployment[] {
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

  /** Every deployment, in the order in which they were first asked for. */
  all(): readonly RegisteredDeployment[] {
    return [...this.#deployments.values()]
  }

  #healthOf(identity: string, label: string, upstream: UpstreamSettings, key: Secret | undefined): DeploymentHealth {
    const { breaker } = upstream
    // Also where the deployment is known: what its key's rest goes by is this upstream's.
    const rest = key === undefined ? undefined : this.#restOf(upstream, key)
    const health = this.#formerDeployments.get(identity)?.health
    const { now, onBreaker } = this.#deps
    if (health === undefined) return createDeploymentHealth(breaker, now, rest, (turn) => onBreaker?.(label, turn))
    health.configure(breaker)
    return health
  }

  /** A key is good or bad for all that its upstream serves. */
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
