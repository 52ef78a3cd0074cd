import type {
  BreakerSettings,
  HedgeSettings,
  ResilienceSettings,
  RetryCause,
  RetrySettings,
  Timeouts,
} from '../settings.ts'
import type { Path } from './path.ts'
import { HEDGE_DEFAULTS } from './resilience-defaults.ts'
import type { ConfigFile } from './schema.ts'
import type { Scope } from './scope.ts'

/** The keys of one scope (the file, or a model) that say how requests are sent. */
export type ResiliencePart = Pick<ConfigFile, 'retry' | 'hedge' | 'all_open'>

/** All the server errors there are. */
const SERVER_ERRORS: readonly RetryCause[] = Array.from({ length: 100 }, (_, index) => 500 + index)

/** Time limits; undefined for what is not said. */
export function toTimeouts(section: ConfigFile['timeouts']): Timeouts {
  return {
    firstByteMs: section?.first_byte,
    streamIdleMs: section?.stream_idle,
    totalMs: section?.total,
  }
}

/** Time limits of which those that are not said are another scope's. */
export function mergeTimeouts(own: Timeouts, wider: Timeouts): Timeouts {
  return {
    firstByteMs: own.firstByteMs ?? wider.firstByteMs,
    streamIdleMs: own.streamIdleMs ?? wider.streamIdleMs,
    totalMs: own.totalMs ?? wider.totalMs,
  }
}

/** How requests are sent, but for time limits: what is not said is the wider scope's. Reports what contradicts itself. */
export function toResilience(
  scope: Scope,
  path: Path,
  part: ResiliencePart,
  wider: ResilienceSettings,
): Omit<ResilienceSettings, 'timeouts'> {
  return {
    retry: toRetry(scope, [...path, 'retry'], part.retry, wider.retry),
    hedge: toHedge(part.hedge, wider.hedge),
    allOpen: part.all_open ?? wider.allOpen,
  }
}

/** When a target is left alone: what is not said is the wider scope's. Reports what contradicts itself. */
export function toBreaker(
  scope: Scope,
  path: Path,
  section: ConfigFile['breaker'],
  wider: BreakerSettings,
): BreakerSettings {
  if (section === false) return { ...wider, failures: 0, rate: 0 }
  const settings: BreakerSettings = {
    failures: section?.failures ?? wider.failures,
    rate: section?.rate ?? wider.rate,
    minimum: section?.minimum ?? wider.minimum,
    windowMs: section?.window ?? wider.windowMs,
    openMs: section?.open ?? wider.openMs,
    openMaxMs: section?.open_max ?? wider.openMaxMs,
  }
  const isSaidHere = section?.open !== undefined || section?.open_max !== undefined
  if (isSaidHere && settings.openMs > settings.openMaxMs) {
    scope.add(path, { wrong: `has an open longer than its open_max`, cure: 'Set open_max to as much, or more.' }, 'key')
  }
  return settings
}

function toRetry(scope: Scope, path: Path, section: ConfigFile['retry'], wider: RetrySettings): RetrySettings {
  const on = section?.on?.flatMap((cause): readonly RetryCause[] => (cause === '5xx' ? SERVER_ERRORS : [cause]))
  const settings: RetrySettings = {
    attempts: section?.attempts ?? wider.attempts,
    on: on === undefined ? wider.on : [...new Set(on)],
    baseMs: section?.base ?? wider.baseMs,
    maxMs: section?.max ?? wider.maxMs,
    retryAfterMaxMs: section?.retry_after_max ?? wider.retryAfterMaxMs,
    budgetPercent: section?.budget ?? wider.budgetPercent,
  }
  const isSaidHere = section?.base !== undefined || section?.max !== undefined
  if (isSaidHere && settings.baseMs > settings.maxMs) {
    scope.add(path, { wrong: `has a base longer than its max`, cure: 'Set max to as much, or more.' }, 'key')
  }
  return settings
}

function toHedge(section: ConfigFile['hedge'], wider: HedgeSettings | undefined): HedgeSettings | undefined {
  if (section === undefined) return wider
  if (section === false) return undefined
  const { percentile, minMs, budgetPercent } = wider ?? HEDGE_DEFAULTS
  return {
    percentile: section.percentile ?? percentile,
    minMs: section.min ?? minMs,
    budgetPercent: section.budget ?? budgetPercent,
  }
}
