import type { UpstreamSettings } from '../config/settings.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import { createGate, type Gate } from './gate.ts'
import { createLaneHealth, type LaneHealth } from './lane-health.ts'
import { laneLabel } from './lane-label.ts'
import { hashOf, type TextHash } from './rendezvous.ts'

/** What is kept of a lane over reloads: all routes that lead to it share this. */
export interface RegisteredLane {
  /** With the model, where it serves one only. */
  readonly label: string
  readonly upstream: UpstreamSettings
  readonly key: string | undefined
  /** From 0. */
  readonly keyIndex: number
  /** Of what it is: the same after a reload, and in every process. */
  readonly hash: TextHash
  readonly health: LaneHealth
  /** Of the upstream: shared by all its lanes. */
  readonly gate: Gate
}

/** What a registry needs. */
export interface LaneRegistryDeps {
  /** Monotonic, in ms. */
  readonly now: () => number
  readonly deadlines: Deadlines
}

/**
 * The lanes of one router, and their upstreams' gates. What the registry before it knows of the same lane (upstream's name
 * and base URL, model, key), or of a gate of the same name, goes on under the new settings.
 */
export class LaneRegistry {
  readonly #deps: LaneRegistryDeps
  readonly #lanes = new Map<string, RegisteredLane>()
  readonly #gates = new Map<string, Gate>()
  readonly #formerLanes: ReadonlyMap<string, RegisteredLane>
  readonly #formerGates: ReadonlyMap<string, Gate>

  constructor(deps: LaneRegistryDeps, previous?: LaneRegistry) {
    this.#deps = deps
    // Its maps and not itself, which would keep all registries before it.
    this.#formerLanes = previous === undefined ? new Map() : previous.#lanes
    this.#formerGates = previous === undefined ? new Map() : previous.#gates
  }

  /** The lanes of an upstream's model, one for each of its keys; without a `model`, those that serve any. */
  lanesOf(upstream: UpstreamSettings, model: string | undefined): readonly RegisteredLane[] {
    const isServerKey = upstream.auth === 'server' || upstream.auth === 'either'
    const keys = isServerKey && upstream.keys.length > 0 ? upstream.keys : [undefined]
    return keys.map((key, keyIndex) => {
      const identity = JSON.stringify([upstream.name, upstream.baseUrl, model, key])
      const known = this.#lanes.get(identity)
      if (known !== undefined) return known
      const lane = {
        label: laneLabel(upstream.name, model, keyIndex),
        upstream,
        key,
        keyIndex,
        hash: hashOf(identity),
        health: this.#healthOf(identity, upstream),
        gate: this.#gateOf(upstream),
      }
      this.#lanes.set(identity, lane)
      return lane
    })
  }

  /** Every lane, in the order in which they were first asked for. */
  all(): readonly RegisteredLane[] {
    return [...this.#lanes.values()]
  }

  #healthOf(identity: string, { breaker }: UpstreamSettings): LaneHealth {
    const health = this.#formerLanes.get(identity)?.health
    if (health === undefined) return createLaneHealth(breaker, this.#deps.now)
    health.configure(breaker)
    return health
  }

  #gateOf({ name, concurrency }: UpstreamSettings): Gate {
    const known = this.#gates.get(name)
    if (known !== undefined) return known
    const gate = this.#formerGates.get(name) ?? createGate(concurrency, this.#deps.deadlines)
    gate.configure(concurrency)
    this.#gates.set(name, gate)
    return gate
  }
}
