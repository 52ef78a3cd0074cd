import type { JsonBody } from '../../formats/json/json-body.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { RequestFacts, Rules } from '../../params/rules.ts'
import type { ExplainedRule } from './explanation.ts'

/** A request, with the result of the rules. */
export interface RuledRequest {
  readonly facts: RequestFacts
  /** The body as the rules saw it; undefined: none, or one that could not be read. */
  readonly json: JsonBody | undefined
  /** Why it would be refused before it is sent. */
  readonly refusal: ApiError | undefined
  /** Whether the request has passed the rules. */
  readonly isReached: boolean
}

/**
 * Explains each rule's part in a request: whether it matches, what it changed, and whether it is the one that refuses.
 *
 * @example
 * const rules = explainRules(snapshot.rules, { facts, json, refusal, isReached: true })
 */
export function explainRules(all: Rules, ruled: RuledRequest): readonly ExplainedRule[] {
  const { facts, json, refusal } = ruled
  const steps = stepsOf(all, ruled)
  return all.judge(facts).map(({ rule: number, mismatch }) => {
    const did = (steps ?? [])
      .filter(({ rule }) => rule === number)
      .map(({ operation, param, detail }) => ({ operation, param, detail }))
    if (mismatch !== undefined) return { rule: number, outcome: 'does not match', mismatch, did: [] }
    if (steps !== undefined) return { rule: number, outcome: 'applies', mismatch, did }
    const isAtFault = json !== undefined && refuses(all.alone(number), facts, json, refusal)
    return { rule: number, outcome: isAtFault ? 'refuses' : 'unreached', mismatch, did }
  })
}

/** Gives the steps of all rules together; undefined: the rules were not reached, or refuse. */
function stepsOf(rules: Rules, { facts, json, isReached }: RuledRequest) {
  return isReached && json !== undefined ? (rules.match(facts)?.apply(json).steps ?? []) : undefined
}

/** Whether a rule alone refuses the request, for the same parameter as all rules together. */
function refuses(rule: Rules, facts: RequestFacts, json: JsonBody, refusal: ApiError | undefined): boolean {
  try {
    rule.match(facts)?.apply(json)
    return false
  } catch (thrown) {
    if (!(thrown instanceof ApiError)) throw thrown
    return refusal !== undefined && thrown.kind === refusal.kind && thrown.body.error.param === refusal.body.error.param
  }
}
