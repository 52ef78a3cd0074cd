import type { ModelSettings, TargetSettings } from '../../config/sections/models.ts'
import { fillStar, isWildcard, starIn, type Wildcard, wildcardOf } from '../../formats/text/wildcards.ts'

/**
 * Gives the callers' name for an upstream's model, where answers show that name and no other name leads to the same model; undefined: there
 * is no such name.
 */
export type AliasOf = (upstream: string, model: string) => string | undefined

/** The date that upstreams put behind a model's name: `-2024-08-06`, `-20250929`, `-0613`. */
const DATE = /-(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{4})$/

/** A target whose `*` stands for the same text as the name's `*`. */
interface Pattern {
  readonly model: ModelSettings
  readonly upstream: string
  readonly target: Wildcard
}

/**
 * Makes the function that gives the callers' name for an upstream's model; undefined: answers never show such a name.
 *
 * @example
 * const aliasOf = createAliasOf(settings.models)
 * aliasOf?.('openai', 'gpt-4o-2024-08-06') // 'smart', where it is the only name with a target `openai/gpt-4o`
 */
export function createAliasOf(models: readonly ModelSettings[]): AliasOf | undefined {
  if (!models.some(({ reportModel }) => reportModel === 'alias')) return undefined
  const named = new Map<string, Set<ModelSettings>>()
  const patterns: Pattern[] = []
  for (const model of models) {
    for (const target of model.targets) {
      if (target.model === undefined && isWildcard(model.name)) continue
      const pattern = patternOf(model, target)
      if (pattern !== undefined) patterns.push(pattern)
      else nameTarget(named, target.upstream, target.model ?? model.name, model)
    }
  }
  const byName = (upstream: string, model: string): string | undefined | null => {
    const found = named.get(keyOf(upstream, model))
    return found === undefined ? null : onlyAlias([...found].map((one) => [one, one.name] as const))
  }
  return (upstream, model) => {
    for (const name of [model, model.replace(DATE, '')]) {
      const alias = byName(upstream, name)
      if (alias !== null) return alias
    }
    return onlyAlias(
      patterns.flatMap((one) => {
        const star = one.upstream === upstream ? starIn(one.target, model) : undefined
        return star === undefined ? [] : [[one.model, fillStar(one.model.name, star)] as const]
      }),
    )
  }
}

function patternOf(model: ModelSettings, { upstream, model: name }: TargetSettings): Pattern | undefined {
  const target = name === undefined || !isWildcard(model.name) ? undefined : wildcardOf(name)
  return target && { model, upstream, target }
}

function nameTarget(
  named: Map<string, Set<ModelSettings>>,
  upstream: string,
  target: string,
  model: ModelSettings,
): void {
  const key = keyOf(upstream, target)
  const known = named.get(key) ?? new Set()
  named.set(key, known.add(model))
}

/** The name of the only entry, if its answers give it, and it does not stand for many. */
function onlyAlias(found: readonly (readonly [model: ModelSettings, name: string])[]): string | undefined {
  const [only] = found
  if (only === undefined || found.some(([model]) => model !== only[0])) return undefined
  const [{ reportModel }, name] = only
  return reportModel === 'alias' && !isWildcard(name) ? name : undefined
}

function keyOf(upstream: string, model: string): string {
  return `${upstream}\n${model}`
}
