import { PRESETS } from '../config/providers/presets.ts'

/** The hosts of the providers with presets. */
const HOSTS: ReadonlySet<string> = new Set(
  [...PRESETS.values()].flatMap(({ baseUrl }) =>
    baseUrl?.startsWith('https:') === true ? [new URL(baseUrl).host] : [],
  ),
)
/** The domains below which Azure has a name for each customer. */
const AZURE = /\.(?:openai|cognitiveservices|services\.ai)\.azure\.com$/

/**
 * Whether a URL is on a public server of one of the providers: no gateway or server of the operator's own.
 *
 * @example
 * const mayLoop = !isProvidersOwn(new URL(baseUrl))
 */
export function isProvidersOwn({ protocol, host }: URL): boolean {
  return protocol === 'https:' && (HOSTS.has(host) || AZURE.test(host))
}
