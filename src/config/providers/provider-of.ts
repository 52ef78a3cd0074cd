import { PRESETS } from './presets.ts'

/** Hosts of providers that have a price list and no preset, or several hosts. */
const HOSTS: readonly (readonly [host: RegExp, provider: string])[] = [
  [/^(?:[\w-]+\.)?api\.openai\.com$/, 'openai'],
  [/^[\w-]+\.(?:openai\.azure\.(?:com|us|cn)|services\.ai\.azure\.com|cognitiveservices\.azure\.com)$/, 'azure'],
  [/(?:^|\.)perplexity\.ai$/, 'perplexity'],
  [/(?:^|\.)cohere\.(?:com|ai)$/, 'cohere'],
  [/(?:^|\.)cerebras\.ai$/, 'cerebras'],
  [/(?:^|\.)moonshot\.(?:ai|cn)$/, 'moonshot'],
  [/(?:^|\.)deepinfra\.com$/, 'deepinfra'],
  [/(?:^|\.)nebius\.(?:com|ai)$/, 'nebius'],
  [/(?:^|\.)novita\.ai$/, 'novita'],
  [/(?:^|\.)minimax(?:i)?\.(?:io|chat|com)$/, 'minimax'],
  [/(?:^|\.)z\.ai$/, 'zai'],
]

/**
 * Gives the provider whose price list holds for an upstream: its preset, else the one that its host belongs to; undefined: unknown.
 *
 * @example
 * providerOf('https://api.groq.com/openai/v1', undefined) // 'groq'
 */
export function providerOf(baseUrl: string, preset: string | undefined): string | undefined {
  if (preset !== undefined) return preset
  const host = URL.parse(baseUrl)?.hostname ?? ''
  const known = HOSTS.find(([pattern]) => pattern.test(host))
  if (known !== undefined) return known[1]
  const isTheirs = (theirs: string | undefined): boolean =>
    theirs?.startsWith('https:') === true && URL.parse(theirs)?.hostname === host
  return PRESETS.values().find((one) => isTheirs(one.baseUrl))?.name
}
