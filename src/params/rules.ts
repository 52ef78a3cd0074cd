import { type CapWords, OPENAI_WORDS } from '../config/providers/cap-words.ts'
import type { ParamRule } from '../config/sections/params/param-rule.ts'
import { BoundedMemo } from '../formats/bounded-memo.ts'
import type { Edit } from '../formats/json/edit.ts'
import type { JsonObject } from '../formats/json/json.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import { endpointPath } from '../openai/endpoint-path.ts'
import { editsOf } from './body-text.ts'
import { fieldMeantBy } from './form-fields.ts'
import { compileInnerLimits, type InnerLimits } from './inner-limits.ts'
import { compileMatch, type FactsBeforeModel, fitsBeforeModel, mismatchOf } from './match-rule.ts'
import { receiptOf, type Step, stepsOf } from './receipt.ts'
import { compileRulePlan } from './rule-plan.ts'
import { checkForm, runOnJson } from './run-plan.ts'
import { capEndpointOf } from './token-caps.ts'
import { valuesReadBy } from './values-read.ts'

/** The facts that decide which rules a request is subject to. */
export interface RequestFacts extends FactsBeforeModel {
  /** The model that the caller named, or the default model. */
  readonly model: string | undefined
}

/** All rules of the configuration file, ready to be asked for each request. */
export interface Rules {
  /** The rules that match, ready to be applied; undefined: none does. */
  readonly match: (facts: RequestFacts) => RuleProgram | undefined
  /** Whether any rule might match before the model is known (by endpoint, principal and headers). Cheap. */
  readonly mayMatch: (facts: FactsBeforeModel) => boolean
  /** Whether the value of a parameter, by its outermost name, may decide what any of the rules does. */
  readonly reads: (name: string) => boolean
  /** Whether a rule does not fit the request, but would at another endpoint, as far as can be told without the model. */
  readonly misses: (facts: FactsBeforeModel, endpoint: string) => boolean
  /** Gives one of the rules, as if there were no other. */
  readonly alone: (rule: number) => Rules
  /** For `explain`: tells of each rule whether it matches and, if not, which part does not fit. */
  readonly judge: (facts: RequestFacts) => readonly { readonly rule: number; readonly mismatch: string | undefined }[]
}

/**
 * The rules that match one request, joined. They are applied together, in phases: so a cap is never lost, and applying them to their own
 * result changes nothing more.
 *
 * 1. `deny` and `allow` judge the caller's parameters, by their own names and by those that a rename gives them. A value that a rule
 *    itself sets is no violation.
 * 2. `rename`; from here on, an old name means the new one in all rules.
 * 3. Rule by rule: `drop`, `defaults` (where the parameter is absent or null), `overrides`.
 * 4. `clamp`: the narrowest range of all rules; a number outside becomes the bound, and a maximum goes before a minimum.
 * 5. `values`: a parameter that is there and not null must equal one of those listed.
 * 6. `require`: the parameter must be there, and not null, in the outgoing body.
 *
 * If rules undo each other's work, phases 1 to 5 are repeated until nothing changes. All words for the cap on an answer's tokens
 * count as one: a clamp of one caps all that are present, for all answers together; a default is set if no word is present that counts at
 * the endpoint; an override sets the words that are present. Paths lead through objects, not into arrays.
 */
export interface RuleProgram {
  /** The numbers of the rules. */
  readonly rules: readonly number[]
  /**
   * Computes the changes to a JSON body. Throws `parameter_not_allowed`, `invalid_parameter` or
   * `rules_not_applicable` if the request is refused: the last also for a body that is no object, and for a name of a rule
   * that occurs twice.
   */
  readonly apply: (body: JsonBody) => Applied
  /** The limits for parameters deeper in a body than a rule's path leads; undefined: there are none. */
  readonly judgeInner: InnerLimits | undefined
  /** Checks a form's text fields. Throws as `apply` does, and `rules_not_applicable` if something would have to change. */
  readonly checkForm: (fields: ReadonlyMap<string, readonly string[]>) => void
  /** Whether some server may take a form's field of that name for a parameter that a rule is about. */
  readonly isAbout: (field: string) => boolean
}

/** The result of rules for one body. */
export interface Applied {
  /** Empty: nothing changes, and the received bytes go on. */
  readonly edits: readonly Edit[]
  /**
   * The changes, by operation, parameters in order: `defaults=temperature; clamp=max_tokens`; empty for nothing. Visible ASCII
   * and spaces, at most about 1 KB.
   */
  readonly receipt: string
  /** The outgoing body, parsed; computed when it is read. */
  readonly value: JsonObject
  /** The changes for `explain`, rule by rule; computed when they are read. */
  readonly steps: readonly Step[]
}

/** The memo is bounded because callers choose models and paths. */
const BY_FACTS = { entriesMax: 512, keyCharsMax: 256 } as const
const BY_RULES = { entriesMax: 512 } as const

/**
 * Prepares the rules of the configuration file.
 *
 * `words` are the names by which any of the upstreams may take a cap on tokens. Rules that match together are joined once, and the
 * matches of the last few hundred different requests are remembered.
 *
 * @example
 * const rules = createRules(settings.params)
 * const applied = rules.match(facts)?.apply(body)
 */
export function createRules(rules: readonly ParamRule[], words: CapWords = OPENAI_WORDS): Rules {
  const compiled = rules.map((rule) => ({ rule, match: compileMatch(rule) }))
  const headers = compiled.flatMap(({ match }) => match.headers)
  const byFacts = new BoundedMemo<{ readonly program: RuleProgram | undefined }>(BY_FACTS)
  const byRules = new BoundedMemo<RuleProgram>(BY_RULES)
  let valuesRead: ReadonlySet<string> | undefined

  const search = (facts: RequestFacts): RuleProgram | undefined => {
    const matching = compiled.filter(({ match }) => fitsBeforeModel(match, facts) && match.fitsModel(facts.model))
    if (matching.length === 0) return undefined
    const numbers = matching.map(({ rule }) => rule.number)
    const endpoint = capEndpointOf(endpointPath(facts.endpoint))
    const key = `${numbers.join()} ${endpoint}`
    const known = byRules.get(key)
    if (known !== undefined) return known
    const matched = matching.map(({ rule }) => rule)
    return byRules.set(key, compile(matched, words, endpoint))
  }
  return {
    match(facts) {
      if (rules.length === 0) return undefined
      const key = keyOf(facts, headers)
      return (byFacts.get(key) ?? byFacts.set(key, { program: search(facts) })).program
    },
    mayMatch: (facts) => compiled.some(({ match }) => fitsBeforeModel(match, facts)),
    reads(name) {
      valuesRead ??= valuesReadBy(rules, words)
      return valuesRead.has(name)
    },
    misses: (facts, endpoint) =>
      compiled.some(
        ({ match }) => !match.fitsEndpoint(facts.endpoint) && fitsBeforeModel(match, { ...facts, endpoint }),
      ),
    alone: (number) =>
      createRules(
        rules.filter((rule) => rule.number === number),
        words,
      ),
    judge: (facts) => compiled.map(({ rule, match }) => ({ rule: rule.number, mismatch: mismatchOf(match, facts) })),
  }
}

function compile(rules: readonly ParamRule[], words: CapWords, endpoint: string): RuleProgram {
  const plan = compileRulePlan(rules, words, endpoint)
  return {
    rules: rules.map(({ number }) => number),
    judgeInner: compileInnerLimits(rules, words),
    apply(body) {
      const { root, text, changes: notes } = runOnJson(plan, body)
      const edits = editsOf(root, text)
      return {
        edits,
        receipt: edits.length === 0 ? '' : receiptOf(notes),
        get value() {
          return (edits.length === 0 ? text.value : root.value()) as JsonObject
        },
        get steps() {
          return edits.length === 0 ? [] : stepsOf(notes)
        },
      }
    },
    checkForm: (fields) => checkForm(plan, fields),
    isAbout: (field) => fieldMeantBy(field, plan.named) !== undefined,
  }
}

/** Joins all facts that a match can depend on. Lengths keep one part from passing for another. */
function keyOf(
  { model, endpoint, principal: { kind, id }, headers }: RequestFacts,
  asked: readonly { readonly fits: (headers: Headers) => boolean }[],
): string {
  let bits = ''
  for (const { fits } of asked) bits += fits(headers) ? '1' : '0'
  return `${bits} ${kind} ${id?.length} ${id} ${endpoint.length} ${endpoint} ${model === undefined ? '-' : `=${model}`}`
}
