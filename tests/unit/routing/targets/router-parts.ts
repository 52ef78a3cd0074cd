import type { BreakerSettings } from '../../../../src/config/sections/breaker.ts'
import { CACHE_DEFAULTS } from '../../../../src/config/sections/cache.ts'
import { IDEMPOTENCY_DEFAULTS } from '../../../../src/config/sections/idempotency.ts'
import { LEDGER_DEFAULTS } from '../../../../src/config/sections/ledger.ts'
import type { ModelSettings, TargetSettings } from '../../../../src/config/sections/models.ts'
import { NO_RECORDS } from '../../../../src/config/sections/projects.ts'
import type { ResilienceSettings } from '../../../../src/config/sections/resilience.ts'
import type { UpstreamSettings } from '../../../../src/config/sections/upstreams/upstream.ts'
import type { Settings } from '../../../../src/config/settings.ts'
import type { Router, RouterDeps } from '../../../../src/routing/targets/router.ts'
import type { Deadlines } from '../../../../src/timing/deadlines.ts'
import { keysOf } from '../../../helpers/secrets.ts'

/** A clock that is moved by hand, and the deadlines that run by it. */
export interface FakeClock {
  at: number
  readonly now: () => number
  readonly deadlines: Deadlines
  /** How many deadlines run. */
  readonly running: () => number
  readonly advance: (ms: number) => void
}

/** Makes a clock that stands at a time in the midst of things. */
export function fakeClock(): FakeClock {
  const running = new Set<{ readonly dueAt: number; readonly onExpire: () => void }>()
  const clock: FakeClock = {
    at: 1_000_000,
    now: () => clock.at,
    running: () => running.size,
    deadlines: {
      start(limitMs, onExpire) {
        const entry = { dueAt: clock.at + limitMs, onExpire }
        if (limitMs > 0) running.add(entry)
        return { touch() {}, suspend() {}, clear: () => running.delete(entry) }
      },
    },
    advance(ms) {
      clock.at += ms
      for (const entry of [...running]) {
        if (entry.dueAt > clock.at) continue
        running.delete(entry)
        entry.onExpire()
      }
    },
  }
  return clock
}

/** A random source that is the same in every run (mulberry32). */
export function seededRandom(seed = 1): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    const once = Math.imul(state ^ (state >>> 15), state | 1)
    const twice = once ^ (once + Math.imul(once ^ (once >>> 7), once | 61))
    return ((twice ^ (twice >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Gives these numbers, one after the other, and 0 after that. */
export function scriptedRandom(...numbers: readonly number[]): () => number {
  const left = [...numbers]
  return () => left.shift() ?? 0
}

export const BREAKER: BreakerSettings = {
  failures: 3,
  rate: 0,
  minimum: 20,
  windowMs: 10_000,
  openMs: 1000,
  openMaxMs: 2500,
}

const NO_TIMEOUTS = { firstByteMs: undefined, streamIdleMs: undefined, totalMs: undefined }

export const RESILIENCE: ResilienceSettings = {
  retry: {
    attempts: 3,
    on: ['connect', 429, 503],
    baseMs: 250,
    maxMs: 8000,
    retryAfterMaxMs: 10_000,
    budgetPercent: 10,
  },
  hedge: undefined,
  timeouts: NO_TIMEOUTS,
  allOpen: 'try',
}

export function upstreamOf(name: string, changes: Partial<UpstreamSettings> = {}): UpstreamSettings {
  return {
    name,
    baseUrl: `https://${name}.example/v1`,
    vendor: undefined,
    provider: undefined,
    auth: 'server',
    keys: keysOf(`sk-${name}`),
    keyNames: [`KEY_${name}`],
    keyHeader: 'authorization',
    anthropicKeyHeader: 'authorization',
    headers: [],
    query: [],
    modelPath: undefined,
    timeouts: NO_TIMEOUTS,
    tlsCa: undefined,
    proxy: undefined,
    concurrency: undefined,
    breaker: BREAKER,
    check: undefined,
    lacks: undefined,
    servesAnyModel: false,
    capWords: undefined,
    streamUsage: 'unknown',
    ...changes,
  }
}

export function targetOf(upstream: string, changes: Partial<TargetSettings> = {}): TargetSettings {
  return { upstream, model: undefined, weight: 1, order: 0, ...changes }
}

export function modelOf(
  name: string,
  targets: readonly TargetSettings[],
  changes: Partial<ModelSettings> = {},
): ModelSettings {
  return { name, targets, strategy: 'order', resilience: RESILIENCE, reportModel: 'upstream', ...changes }
}

export function settingsOf(changes: Partial<Settings> = {}): Settings {
  const upstreams = changes.upstreams ?? [upstreamOf('openai')]
  return {
    hasFile: true,
    upstreams,
    defaultUpstream: upstreams[0]?.name ?? '',
    models: [],
    unknownModels: 'pass',
    resilience: RESILIENCE,
    params: [],
    pins: {},
    prices: [],
    debugHeaders: false,
    clientDeadline: true,
    cache: CACHE_DEFAULTS,
    extensions: [],
    idempotency: IDEMPOTENCY_DEFAULTS,
    ledger: LEDGER_DEFAULTS,
    records: NO_RECORDS,
    ...changes,
  }
}

export function depsOf(clock: FakeClock, random: () => number = seededRandom()): RouterDeps {
  return { now: clock.now, deadlines: clock.deadlines, random }
}

/** The labels of the deployments that a request for a model is to try. */
export function orderFor(router: Router, model: string | undefined, affinity?: string): readonly string[] {
  return router
    .route(model)
    .order({ affinity })
    .map(({ label }) => label)
}
