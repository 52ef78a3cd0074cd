import { MODEL_ENDPOINTS, PRESETS } from '../config/presets.ts'
import type { UpstreamSettings } from '../config/settings.ts'
import type { Reach } from './send.ts'
import { createLocate, type Locate } from './target.ts'

/** The way out to one upstream. */
export interface Egress {
  readonly locate: Locate
  /** undefined: as the environment says. */
  readonly reach: Reach | undefined
  /** Whether calls may come back from there: from everywhere but the providers' own public servers. */
  readonly mayLoop: boolean
}

/** The hosts of the providers that we have presets for, and the domains in which Azure has a name for each customer. */
const PROVIDERS: ReadonlySet<string> = new Set(
  [...PRESETS.values()].flatMap(({ baseUrl }) =>
    baseUrl?.startsWith('https:') === true ? [new URL(baseUrl).host] : [],
  ),
)
const CUSTOMERS_OF_AZURE = /\.(?:openai|cognitiveservices|services\.ai)\.azure\.com$/

/**
 * Makes the way out to an upstream, from its settings.
 *
 * @example
 * const { locate, reach } = createEgress(upstream)
 */
export function createEgress({ baseUrl, query, modelPath, tlsCa, proxy }: UpstreamSettings): Egress {
  const reach: Reach = {
    ...(tlsCa !== undefined && { tls: { ca: tlsCa } }),
    ...(proxy !== undefined && { proxy: proxy === 'none' ? false : proxy }),
  }
  const { protocol, host } = new URL(baseUrl)
  return {
    mayLoop: protocol !== 'https:' || !(PROVIDERS.has(host) || CUSTOMERS_OF_AZURE.test(host)),
    locate: createLocate(baseUrl, { query, modelPath, modelEndpoints: MODEL_ENDPOINTS }),
    reach: Object.keys(reach).length === 0 ? undefined : reach,
  }
}
