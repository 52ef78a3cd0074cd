import { type AnsweringSettings, NO_ANSWERING } from './answering-defaults.ts'
import { capWordsOf } from './cap-words.ts'
import type { Config } from './config.ts'
import { freeze } from './freeze.ts'
import { Secret } from './secret.ts'
import type { BreakerSettings, SecretPair, Settings, Timeouts } from './settings.ts'
import { vendorOf } from './vendor.ts'

const NO_TIMEOUTS: Timeouts = { firstByteMs: undefined, streamIdleMs: undefined, totalMs: undefined }

const NEVER_OPEN: BreakerSettings = {
  failures: 0,
  rate: 0,
  minimum: 20,
  windowMs: 30_000,
  openMs: 30_000,
  openMaxMs: 300_000,
}

/**
 * What the environment alone comes to: one upstream, named after its host, to which everything goes once, as it came.
 *
 * @example
 * const settings = settingsFromEnv({ upstream: config.upstream, debugHeaders: config.debugHeaders })
 */
export function settingsFromEnv(env: Pick<Config, 'upstream' | 'debugHeaders'> & Partial<AnsweringSettings>): Settings {
  const { upstream, debugHeaders, ...answering } = env
  const { baseUrl, apiKey, organization, project } = upstream
  const name = new URL(baseUrl).host
  const vendor = vendorOf(baseUrl, undefined)
  const headers: SecretPair[] = []
  if (organization !== undefined) headers.push(['openai-organization', new Secret(organization)])
  if (project !== undefined) headers.push(['openai-project', new Secret(project)])
  return freeze<Settings>({
    hasFile: false,
    upstreams: [
      {
        name,
        baseUrl,
        vendor,
        auth: 'either',
        keys: apiKey === undefined ? [] : [apiKey],
        keyNames: apiKey === undefined ? [] : ['OPENAI_API_KEY'],
        keyHeader: 'authorization',
        headers,
        query: [],
        modelPath: undefined,
        timeouts: NO_TIMEOUTS,
        tlsCa: undefined,
        proxy: undefined,
        concurrency: undefined,
        breaker: NEVER_OPEN,
        check: undefined,
        lacks: undefined,
        servesAnyModel: false,
        capWords: vendor === undefined ? undefined : capWordsOf(vendor),
      },
    ],
    defaultUpstream: name,
    models: [],
    unknownModels: 'pass',
    resilience: {
      retry: { attempts: 1, on: [], baseMs: 0, maxMs: 0, retryAfterMaxMs: 0, budgetPercent: 0 },
      hedge: undefined,
      timeouts: NO_TIMEOUTS,
      allOpen: 'try',
    },
    params: [],
    pins: {},
    debugHeaders,
    clientDeadline: false,
    ...NO_ANSWERING,
    ...answering,
  })
}
