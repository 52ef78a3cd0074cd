import { freeze } from './freeze.ts'
import { CACHE_DEFAULTS } from './sections/cache.ts'
import { IDEMPOTENCY_DEFAULTS } from './sections/idempotency.ts'
import { LEDGER_DEFAULTS } from './sections/ledger.ts'
import { NO_RECORDS } from './sections/projects.ts'
import { NO_RESILIENCE } from './sections/resilience.ts'
import { type EnvUpstream, envUpstreamSettings } from './sections/upstreams/env-upstream.ts'
import type { Settings } from './settings.ts'

/** The environment's part of the settings; an absent setting has its default. */
export interface EnvSettings extends Partial<Pick<Settings, 'cache' | 'extensions' | 'idempotency' | 'ledger'>> {
  readonly upstream: EnvUpstream
  readonly debugHeaders: boolean
}

/**
 * Makes the settings of the environment alone: one upstream, named after its host; each request goes to it once, as it came.
 *
 * @example
 * const settings = settingsFromEnv({ upstream: config.upstream, debugHeaders: config.debugHeaders })
 */
export function settingsFromEnv({ upstream, ...others }: EnvSettings): Settings {
  const only = envUpstreamSettings(upstream)
  return freeze<Settings>({
    hasFile: false,
    upstreams: [only],
    defaultUpstream: only.name,
    models: [],
    unknownModels: 'pass',
    resilience: NO_RESILIENCE,
    params: [],
    pins: {},
    prices: [],
    clientDeadline: false,
    cache: CACHE_DEFAULTS,
    extensions: [],
    idempotency: IDEMPOTENCY_DEFAULTS,
    ledger: LEDGER_DEFAULTS,
    records: NO_RECORDS,
    ...others,
  })
}
