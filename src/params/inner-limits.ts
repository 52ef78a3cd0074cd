import type { CapWords } from '../config/providers/cap-words.ts'
import type { ParamRule } from '../config/sections/params/param-rule.ts'
import { isEqualJson } from '../formats/json/equal.ts'
import { foldName } from '../formats/json/fold-name.ts'
import type { Json } from '../formats/json/json.ts'
import { ApiError } from '../openai/api-error.ts'
import { type BodyPath, visitMembers } from '../openai/inner-members.ts'
import { innerModels } from '../openai/inner-models.ts'
import { leastNumber } from './ranges.ts'
import { notANumber, unsupportedValue } from './refusals.ts'

/**
 * Judges the parameters within a body by the limits of rules. Throws `parameter_not_allowed`, `invalid_parameter` or
 * `rules_not_applicable`. `within` is the place of that body in the request.
 */
export type InnerLimits = (body: unknown, within?: BodyPath) => void

/** More names of a cap on tokens, below the top of a body: in sessions, graders, and at other vendors. */
const INNER_CAPS = [
  ...['max_response_output_tokens', 'max_completions_tokens', 'max_new_tokens', 'max_tokens_to_sample'],
  ...['num_predict', 'n_predict', 'max_generation_tokens', 'max_generated_tokens', 'max_response_tokens'],
  ...['max_token_count', 'max_gen_len'],
]

/** The words for a cap on tokens at any depth, as `foldName` gives them. */
interface Words {
  readonly caps: ReadonlySet<string>
  readonly budgets: ReadonlySet<string>
  readonly counts: ReadonlySet<string>
}

/** The narrowest range of all rules. */
interface Limit {
  min: number
  max: number
  /** The rule with the lowest maximum, else the first. */
  rule: number
}

/**
 * Prepares the limits of rules for parameters deeper in a body than a rule's path leads: in a session, a grader, another call.
 * Nothing is changed there: a number beyond the range of a `clamp` is refused, and so is a model that `values` does not list. A clamp of
 * one cap on tokens holds for all of them; `words` are the names by which the servers may take one. undefined: the rules have no such
 * limit.
 *
 * @example
 * compileInnerLimits(rules, words)?.({ session: { max_output_tokens: 'inf' } }) // throws
 */
export function compileInnerLimits(rules: readonly ParamRule[], words: CapWords): InnerLimits | undefined {
  const limits = limitsOf(rules, {
    caps: new Set([...words.caps, ...INNER_CAPS].map(lastName)),
    budgets: new Set(words.budgets.map(lastName)),
    counts: new Set(words.counts.map(lastName)),
  })
  const judges = rules.filter(({ values }) => values['model'] !== undefined)
  if (limits.size === 0 && judges.length === 0) return undefined
  return (body, within) => {
    if (limits.size > 0) judgeNumbers(body, limits, within)
    for (const rule of judges) judgeModels(body, rule, within)
  }
}

function lastName(path: string): string {
  return foldName(path.slice(path.lastIndexOf('.') + 1))
}

function limitsOf(rules: readonly ParamRule[], { caps, budgets, counts }: Words): ReadonlyMap<string, Limit> {
  const limits = new Map<string, Limit>()
  const narrow = (name: string, rule: number, min: number, max: number): void => {
    const limit = limits.get(name)
    if (limit === undefined) limits.set(name, { min, max, rule })
    else
      limits.set(name, {
        min: Math.max(min, limit.min),
        max: Math.min(max, limit.max),
        rule: max < limit.max ? rule : limit.rule,
      })
  }
  for (const { number, clamp } of rules) {
    for (const [path, { min = -Infinity, max = Infinity }] of Object.entries(clamp)) {
      const name = foldName(path)
      if (path.includes('.')) continue
      if (!caps.has(name)) narrow(name, number, Math.max(min, leastOf(name, min, max, counts)), max)
      else if (max !== Infinity) {
        // Some servers take a number below one for no cap.
        for (const cap of caps) narrow(cap, number, 1, max)
        for (const budget of budgets) if (!caps.has(budget)) narrow(budget, number, 0, max)
      }
    }
  }
  return limits
}

/** The least number if a rule has no minimum; -Infinity if it has one, or if no number would be left. */
function leastOf(name: string, min: number, max: number, counts: ReadonlySet<string>): number {
  const least = leastNumber([name], counts.has(name))
  return min === -Infinity && max !== Infinity && max >= least ? least : -Infinity
}

function judgeNumbers(body: unknown, limits: ReadonlyMap<string, Limit>, within: BodyPath | undefined): void {
  const isWhole = visitMembers(
    body,
    (name, value, depth, param) => {
      const limit = depth === 0 ? undefined : limits.get(name)
      if (limit === undefined || value === null || value === undefined) return
      if (typeof value !== 'number') throw notANumber([param()], value, limit.rule)
      if (value < limit.min || value > limit.max) throw beyond(param(), value, limit)
    },
    (name) => limits.has(name),
    within,
  )
  if (!isWhole) throw tooDeep()
}

function judgeModels(body: unknown, { number, values }: ParamRule, within: BodyPath | undefined): void {
  const models = innerModels(body, within)
  if (models === undefined) throw tooDeep()
  const admitted: readonly Json[] | undefined = values['model']
  for (const { model, param } of models) {
    if (admitted !== undefined && !admitted.some((one) => isEqualJson(one, model)))
      throw unsupportedValue([param], model, admitted, number)
  }
}

/** The refusal of a body that is too deep to be searched. */
export function tooDeep(): ApiError {
  return new ApiError('rules_not_applicable', {
    message:
      'This server has rules for the model or the parameters of this request, and its body is nested too deep, or has too many objects, to be looked into.',
  })
}

function beyond(param: string, value: number, { min, max, rule }: Limit): ApiError {
  const [word, bound] = value > max ? ['most', max] : ['least', min]
  return new ApiError('parameter_not_allowed', {
    message: `Parameter '${param}' is ${value}, and this server allows ${bound} at ${word}. In this place it is not changed by a rule: send another value.`,
    param,
    rule,
  })
}
