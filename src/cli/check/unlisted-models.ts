import type { UpstreamSettings } from '../../config/sections/upstreams/upstream.ts'
import type { Settings } from '../../config/settings.ts'
import { suggest } from '../../formats/text/nearest.ts'
import { isWildcard, starIn, wildcardOf } from '../../formats/text/wildcards.ts'
import type { CheckFinding } from './judge.ts'

/**
 * Finds the models that targets name but the upstream does not list, with the nearest name that it lists. `listed` are its models by any
 * of its keys. Gives no findings when that is empty, or when the upstream accepts any name.
 *
 * @example
 * const findings = unlistedModels(upstream, ['gpt-4o'], settings)
 */
export function unlistedModels(
  upstream: UpstreamSettings,
  listed: readonly string[],
  { models }: Settings,
): CheckFinding[] {
  if (listed.length === 0 || upstream.servesAnyModel) return []
  const askedBy = new Map<string, string[]>()
  for (const { name, targets } of models) {
    for (const target of targets) {
      const asked = target.model ?? name
      if (target.upstream !== upstream.name || isWildcard(asked) || isListed(asked, listed)) continue
      askedBy.set(asked, [...(askedBy.get(asked) ?? []), name])
    }
  }
  return [...askedBy].map(([asked, names]) => {
    const cure = suggest(asked, listed, `It lists ${listed.length} others.`)
    const of = names.map((name) => JSON.stringify(name)).join(' and ')
    return {
      verdict: 'unsure',
      text: `upstream ${upstream.name} does not list the model ${JSON.stringify(asked)}, to which ${of} ${names.length > 1 ? 'lead' : 'leads'}. ${cure}`,
    }
  })
}

/** Whether a model is listed: Ollama lists `llama3.2:latest`, Gemini `models/gemini-2.5-pro`, and LiteLLM patterns. */
function isListed(asked: string, listed: readonly string[]): boolean {
  return listed.some((name) => {
    if (name === asked || name === `${asked}:latest` || name === `models/${asked}`) return true
    const wildcard = wildcardOf(name)
    return wildcard !== undefined && starIn(wildcard, asked) !== undefined
  })
}
