import type { UpstreamSettings } from '../config/sections/upstreams/upstream.ts'
import { MODEL_ENDPOINTS } from '../openai/resources.ts'
import { isProvidersOwn } from './providers.ts'
import type { Reach } from './send.ts'
import { createLocate, type Locate } from './target.ts'

/** The way out to one upstream. */
export interface Egress {
  readonly locate: Locate
  /** undefined: the environment decides. */
  readonly reach: Reach | undefined
  /** Whether calls may come back from there: true for all but the providers' own public servers. */
  readonly mayLoop: boolean
}

/**
 * Makes the way out to an upstream, from its settings.
 *
 * @example
 * const { locate, reach } = createEgress(upstream)
 */
export function createEgress({ baseUrl, query, modelPath, tlsCa, proxy }: UpstreamSettings): Egress {
  const reach: Reach = {
    ...(tlsCa !== undefined && { tls: { ca: tlsCa } }),
    ...(proxy !== undefined && { proxy: proxy === 'none' ? false : proxy.reveal() }),
  }
  return {
    mayLoop: !isProvidersOwn(new URL(baseUrl)),
    locate: createLocate(baseUrl, { query, modelPath, modelEndpoints: MODEL_ENDPOINTS }),
    reach: Object.keys(reach).length === 0 ? undefined : reach,
  }
}
