import { type CapWords, OPENAI_WORDS } from '../../../src/config/providers/cap-words.ts'
import type { ParamRule } from '../../../src/config/sections/params/param-rule.ts'
import { applyEdits } from '../../../src/formats/json/edit.ts'
import { JsonBody } from '../../../src/formats/json/json-body.ts'
import { ApiError, type ErrorBody } from '../../../src/openai/api-error.ts'
import { type Applied, createRules, type RequestFacts, type RuleProgram } from '../../../src/params/rules.ts'
import { bytesOf, textOf } from '../formats/json/json-texts.ts'

/** What a test says of a rule; the rest is empty. */
export type RuleParts = Partial<Omit<ParamRule, 'number' | 'match'>> & { readonly match?: Partial<ParamRule['match']> }

/** The facts of a usual request. */
export const FACTS: RequestFacts = {
  model: 'gpt-4o',
  endpoint: 'chat/completions',
  principal: { kind: 'token', id: 'token-1' },
  headers: new Headers(),
}

/** Makes rules, with numbers from 1, as the configuration file does. */
export function rulesOf(...parts: readonly RuleParts[]): ParamRule[] {
  return parts.map((part, index) => ({
    defaults: {},
    overrides: {},
    clamp: {},
    drop: [],
    rename: {},
    require: [],
    deny: [],
    allow: undefined,
    values: {},
    onViolation: 'refuse',
    ...part,
    number: index + 1,
    match: { model: undefined, endpoint: undefined, principal: undefined, header: undefined, ...part.match },
  }))
}

/** The program of rules that all match. */
export function programOf(...parts: readonly RuleParts[]): RuleProgram {
  return programAt('chat/completions', OPENAI_WORDS, ...parts)
}

/** The same at another endpoint, for servers that take such words for a cap. */
export function programAt(endpoint: string, words: CapWords, ...parts: readonly RuleParts[]): RuleProgram {
  const program = createRules(rulesOf(...parts), words).match({ ...FACTS, endpoint })
  if (program === undefined) throw new Error('no rule matches')
  return program
}

/** What a body becomes, and what is said about it. */
export function applied(program: RuleProgram, text: string): Applied & { readonly text: string } {
  const bytes = bytesOf(text)
  const {
    edits,
    receipt: done,
    value,
    steps,
  } = program.apply(new JsonBody(bytes, JSON.parse(text.replace(/^\uFEFF/, ''))))
  return { edits, receipt: done, value, steps, text: textOf(applyEdits(bytes, edits)) }
}

/** The text that a body becomes, or the error that it is answered with. */
export function outcome(program: RuleProgram, text: string): string | ErrorBody['error'] {
  return orError(() => applied(program, text).text)
}

/** What is done gives, or the error that it is answered with. */
export function orError<T>(doIt: () => T): T | ErrorBody['error'] {
  try {
    return doIt()
  } catch (error) {
    if (error instanceof ApiError) return error.body.error
    throw error
  }
}
