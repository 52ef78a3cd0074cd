/** The vendor of an upstream for which OpenAI's own contract is certain to hold: OpenAI, or Azure OpenAI. */
export type Vendor = 'openai' | 'azure'

/** The model that is put in for OpenAI where a chat or text completion names none, and `OPENAI_MODEL` is not set. */
export const OPENAI_DEFAULT_MODEL = 'gpt-3.5-turbo'

/** The hosts of OpenAI, of which each region of data residency has one, and of Azure OpenAI, which has one for each customer. */
const HOSTS: readonly (readonly [host: RegExp, vendor: Vendor])[] = [
  [/^(?:[\w-]+\.)?api\.openai\.com$/, 'openai'],
  [/^[\w-]+\.openai\.azure\.(?:com|us|cn)$/, 'azure'],
]

/**
 * Gives the vendor of an upstream, by its preset or its host; undefined: another vendor, or unknown.
 *
 * @example
 * const vendor = vendorOf('https://api.openai.com/v1', undefined)
 */
export function vendorOf(baseUrl: string, preset: string | undefined): Vendor | undefined {
  const host = URL.parse(baseUrl)?.hostname ?? ''
  const known = HOSTS.find(([pattern]) => pattern.test(host))
  if (known !== undefined) return known[1]
  return preset === 'openai' || preset === 'azure' ? preset : undefined
}
