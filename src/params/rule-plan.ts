import type { CapWords } from '../config/providers/cap-words.ts'
import type { ParamRule } from '../config/sections/params/param-rule.ts'
import type { Json } from '../formats/json/json.ts'
import { isModel, type Names, type NameTree, namesOf, treeOf } from './name-tree.ts'
import { type Bounds, boundsOf, joinRanges, type Range } from './ranges.ts'
import { joinRenames, type Renames } from './renames.ts'
import { type CapWord, compileTokenCaps, PROMPT_LISTS, type TokenCaps } from './token-caps.ts'

/** Several rules joined, ready to be run. Paths are those after all renames, unless noted otherwise. */
export interface RulePlan {
  /** Every path that a rule names, as callers may write it. */
  readonly named: NameTree
  /** The parameters of rules that must not come in `extra_body`. */
  readonly ofBody: NameTree
  readonly denials: readonly Denial[]
  readonly allowances: readonly Allowance[]
  readonly renames: Renames
  /** All names of the cap on an answer's tokens: a clamp of one caps them all, and defaults and overrides take them for one. */
  readonly tokenCaps: TokenCaps
  /** The range of all of them; undefined: no rule clamps any. */
  readonly capRange: Range | undefined
  /** In the order of the rules; within one: drop, defaults, overrides. */
  readonly settings: readonly Setting[]
  /** The bounds of all numbers but the caps on tokens. */
  readonly bounds: readonly Bounds[]
  /** The bounds of those words for the number of answers that have none of their own; undefined: no bounds. */
  readonly counts: CountBounds | undefined
  readonly values: readonly ValueList[]
  readonly required: readonly Required[]
  /** Whether going through the phases once is as good as going through them until nothing changes. */
  readonly isSettledAtOnce: boolean
}

/** A path that callers may not use. */
export interface Denial {
  /** The rule's number. */
  readonly rule: number
  /** The path as callers may write it. */
  readonly names: Names
  readonly isDropped: boolean
}

/** The only paths that callers may use. */
export interface Allowance {
  readonly rule: number
  readonly allowed: NameTree
  readonly isDropped: boolean
}

/** A parameter that a rule removes or sets. */
export interface Setting {
  readonly rule: number
  readonly operation: 'drop' | 'defaults' | 'overrides'
  readonly names: Names
  /** The value to set; null for a `drop`. */
  readonly value: Json
  readonly isTokenCap: boolean
}

/** The range of `n`, and the other words that it holds for. */
export interface CountBounds extends Bounds {
  readonly words: readonly CapWord[]
}

/** The values that a parameter may have. */
export interface ValueList {
  readonly rule: number
  readonly names: Names
  readonly allowed: readonly Json[]
  readonly isDropped: boolean
}

/** A parameter that must be present. */
export interface Required {
  /** The number of the rule. */
  readonly rule: number
  readonly names: Names
  /** The path as the rule writes it. */
  readonly written: Names
}

/**
 * Joins the rules that match one request. `words` are the names by which its servers may take a cap on tokens; `endpoint` is the result
 * of `capEndpointOf`.
 *
 * @example
 * const plan = compileRulePlan(rules.filter(matches), words, 'chat/completions')
 */
export function compileRulePlan(rules: readonly ParamRule[], words: CapWords, endpoint: string): RulePlan {
  const renames = joinRenames(rules)
  const resolve = (path: string): Names => renames.resolve(namesOf(path))
  // A renamed cap is still a cap.
  const tokenCaps = compileTokenCaps(words, renames, endpoint)
  const bounds = boundsOf(rules, resolve, tokenCaps.isCount)
  const counts = countsUnder(bounds, resolve('n'), tokenCaps)
  const capRange = joinRanges(bounds.filter(({ names }) => tokenCaps.isCap(names)))
  const paths = rules.flatMap(pathsOf).map(resolve)
  const named = [
    ...paths,
    ...(counts?.words ?? []).map(({ names }) => names),
    ...(paths.some(tokenCaps.isCap) ? wordsNamed(tokenCaps, capRange) : []),
  ]
  const plan = {
    named: treeOf(named.flatMap((names) => renames.sources(names))),
    denials: rules.flatMap(({ number: rule, deny, onViolation }) =>
      deny.flatMap((path) =>
        renames.sources(namesOf(path)).map((names) => ({ rule, names, isDropped: onViolation === 'drop' })),
      ),
    ),
    allowances: rules.flatMap(({ number: rule, allow, onViolation }) =>
      allow === undefined ? [] : [{ rule, allowed: treeOf(allow.map(resolve)), isDropped: onViolation === 'drop' }],
    ),
    renames,
    tokenCaps,
    capRange,
    settings: rules.flatMap((rule) => settingsOf(rule, resolve, tokenCaps)),
    counts,
    bounds: bounds.filter(({ names }) => !tokenCaps.isCap(names)),
    values: rules.flatMap(({ number: rule, values, onViolation }) =>
      Object.entries(values).map(([path, allowed]) => {
        return { rule, names: resolve(path), allowed, isDropped: onViolation === 'drop' }
      }),
    ),
    required: rules.flatMap(({ number, require }) => {
      return require.map((path) => ({ rule: number, names: resolve(path), written: namesOf(path) }))
    }),
  }
  return { ...plan, ofBody: namesOfBody(plan), isSettledAtOnce: isSettledAtOnce(plan) }
}

/**
 * Rules undo each other's work only where one removes a parameter that another has judged or set: by `on_violation: drop`, by removing
 * one of the token caps, or where one path lies within another.
 */
function isSettledAtOnce({
  denials,
  allowances,
  values,
  settings,
  named,
}: Omit<RulePlan, 'isSettledAtOnce' | 'ofBody'>): boolean {
  const isTakenAway = [...denials, ...allowances, ...values].some(({ isDropped }) => isDropped)
  // If a cap is removed or null, another of the caps may count.
  const isCapGone = settings.some(({ isTokenCap, value }) => isTokenCap && value === null)
  return !(isTakenAway || isCapGone || hasPathsWithinOthers(named))
}

/** The parameters of rules, except numbers and models: those are judged wherever they stand. */
function namesOfBody({ denials, values, settings }: Pick<RulePlan, 'denials' | 'values' | 'settings'>): NameTree {
  const set = settings.filter(({ operation, isTokenCap }) => operation !== 'defaults' && !isTokenCap)
  const paths: readonly Names[] = [...denials, ...values, ...set].map(({ names }) => names)
  return treeOf(paths.filter((names) => !isModel(names)))
}

/** Whether one path leads through the end of another. */
function hasPathsWithinOthers({ isEnd, children }: NameTree): boolean {
  return (isEnd && children.size > 0) || [...children.values()].some(hasPathsWithinOthers)
}

/** All paths that a rule names. A rule that matches by model is about `model`: the upstream has to read the same one. */
function pathsOf(rule: ParamRule): string[] {
  const { defaults, overrides, clamp, rename, values, match } = rule
  return [
    ...(match.model === undefined ? [] : ['model']),
    ...[defaults, overrides, clamp, values, rename].flatMap((byPath) => Object.keys(byPath)),
    ...Object.values(rename),
    ...rule.drop,
    ...rule.require,
    ...rule.deny,
    ...(rule.allow ?? []),
  ]
}

/** The names that rules about a cap depend on: all its words, and, where it has a maximum, the parameters that multiply it. */
function wordsNamed({ words }: TokenCaps, range: Range | undefined): Names[] {
  const isCounted = range?.max !== undefined
  const named = words.filter(({ kind }) => kind !== 'count' || isCounted).map(({ names }) => names)
  return isCounted ? [...named, ...PROMPT_LISTS.map((name) => [name])] : named
}

/** A maximum of `n` holds for all words for the number of answers, except those with a range of their own. */
function countsUnder(bounds: readonly Bounds[], n: Names, { words }: TokenCaps): CountBounds | undefined {
  const own = new Map(bounds.map((one) => [one.names.join('.'), one]))
  const first = own.get(n.join('.'))
  if (first?.max === undefined) return undefined
  const others = words.filter(({ kind, names }) => kind === 'count' && !own.has(names.join('.')))
  return { ...first, min: undefined, words: others }
}

function settingsOf(rule: ParamRule, resolve: (path: string) => Names, { isCap }: TokenCaps): Setting[] {
  const setting = (operation: Setting['operation'], path: string, value: Json): Setting => {
    const names = resolve(path)
    return { rule: rule.number, operation, names, value, isTokenCap: isCap(names) }
  }
  return [
    ...rule.drop.map((path) => setting('drop', path, null)),
    ...Object.entries(rule.defaults).map(([path, value]) => setting('defaults', path, value)),
    ...Object.entries(rule.overrides).map(([path, value]) => setting('overrides', path, value)),
  ]
}
