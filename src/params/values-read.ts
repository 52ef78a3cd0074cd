import type { CapWords } from '../config/providers/cap-words.ts'
import type { ParamRule } from '../config/sections/params/param-rule.ts'
import { type Names, namesOf } from './name-tree.ts'
import { compileRulePlan } from './rule-plan.ts'
import { PROMPT_LISTS } from './token-caps.ts'

/** Parameters that some servers take for the body's own, and so count with each rule. */
const MERGED = ['extra_body', '__proto__']

/**
 * Gives the outermost names of all parameters whose values decide what rules do; of the others it only matters whether they are there.
 * `messages` is among them only if a rule sets it: how many conversations it holds, its first byte tells.
 *
 * @example
 * const isRead = valuesReadBy(rules, words).has('max_tokens')
 */
export function valuesReadBy(rules: readonly ParamRule[], words: CapWords): ReadonlySet<string> {
  if (rules.length === 0) return new Set()
  const names = new Set(MERGED)
  const add = (path: Names): void => void names.add(path[0] ?? '')
  for (const rule of rules) {
    // How callers write a name may be told by another rule.
    for (const [from, to] of Object.entries(rule.rename)) for (const path of [from, to]) add(namesOf(path))
    const { settings, bounds, values, tokenCaps, capRange, named, renames } = compileRulePlan([rule], words, '')
    const set = settings.filter(({ operation }) => operation !== 'drop')
    for (const path of [...set, ...bounds, ...values, ...tokenCaps.words].map((one) => one.names))
      for (const source of renames.sources(path)) add(source)
    if (capRange?.max !== undefined) for (const name of PROMPT_LISTS) if (name !== 'messages') names.add(name)
    for (const [name, { children }] of named.children) if (children.size > 0) names.add(name)
  }
  return names
}
