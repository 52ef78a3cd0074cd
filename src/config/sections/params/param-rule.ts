import { type Static, Type } from '@sinclair/typebox'
import type { Json } from '../../../formats/json/json.ts'
import { anyJson, closed, mapOf, optional, text, textOrTexts, texts, words } from '../../file/schema/fields.ts'

const ON_VIOLATION = ['refuse', 'drop'] as const

/** A rule about the parameters of requests: the requests that it is for, and the changes to their parameters. */
export interface ParamRule {
  /** Its position in the file, from 1. */
  readonly number: number
  readonly match: {
    /** Patterns with `*`; any of them. undefined: every request, also one without a model. */
    readonly model: readonly string[] | undefined
    /** Patterns of paths below `/v1/`, such as `chat/completions` or `audio/*`; any of them. */
    readonly endpoint: readonly string[] | undefined
    /** Principals' kinds (`token`, `key`, `caller`, `local`) or names (`alice`, `token-3fa9c1d2`, `key_…`), with `*`; any of them. */
    readonly principal: readonly string[] | undefined
    /** Lower-case names, and patterns of their values with `*`; all of them. */
    readonly header: Readonly<Record<string, string>> | undefined
  }
  readonly defaults: Readonly<Record<string, Json>>
  readonly overrides: Readonly<Record<string, Json>>
  readonly clamp: Readonly<Record<string, { readonly min: number | undefined; readonly max: number | undefined }>>
  readonly drop: readonly string[]
  readonly rename: Readonly<Record<string, string>>
  readonly require: readonly string[]
  readonly deny: readonly string[]
  readonly allow: readonly string[] | undefined
  readonly values: Readonly<Record<string, readonly Json[]>>
  /** Whether a parameter that `deny`, `allow` or `values` does not admit makes the request fail, or is dropped. */
  readonly onViolation: (typeof ON_VIOLATION)[number]
}

const MatchSection = closed('match', {
  model: optional(textOrTexts(), 'Names of models, with * for any characters; any of them.', { examples: ['gpt-*'] }),
  endpoint: optional(textOrTexts(), 'Paths below /v1/, with * for any characters; any of them.', {
    examples: ['chat/completions'],
  }),
  principal: optional(
    textOrTexts(),
    'Names of tokens, ids of keys, or kinds of callers (token, key, caller, local), with *; any of them.',
    {
      examples: ['alice'],
    },
  ),
  header: optional(mapOf(Type.String(), { minProperties: 1 }), 'Headers and their values, with *; all of them.', {
    examples: [{ 'x-team': 'red*' }],
  }),
})

const ClampSection = closed('clamp', {
  min: optional(Type.Number(), 'A lower number becomes this one.', { examples: [0] }),
  max: optional(Type.Number(), 'A higher number becomes this one.', { examples: [1500] }),
})

const ONE_OR_MORE = { minProperties: 1 }

/** One entry of `params`. */
export const RuleEntry = closed('rule', {
  match: optional(MatchSection, 'Which requests it is for; each criterion that is given has to fit.', {
    'x-default': 'all',
  }),
  defaults: optional(mapOf(anyJson(), ONE_OR_MORE), 'Values of parameters that a request leaves out.', {
    examples: [{ temperature: 0.7 }],
  }),
  overrides: optional(mapOf(anyJson(), ONE_OR_MORE), 'Values of parameters, whatever the request says.', {
    examples: [{ user: 'shared' }],
  }),
  clamp: optional(mapOf(ClampSection, ONE_OR_MORE), 'Bounds that numbers are brought within.', {
    examples: [{ max_tokens: { max: 1500 } }],
  }),
  drop: optional(texts(), 'Parameters that are taken out.', { examples: [['logit_bias']] }),
  rename: optional(mapOf(text(), ONE_OR_MORE), 'Other names for parameters, within the same object.', {
    examples: [{ max_tokens: 'max_completion_tokens' }],
  }),
  require: optional(texts(), 'Parameters that have to be there.', { examples: [['user']] }),
  deny: optional(texts(), 'Parameters that a caller may not set.', { examples: [['logit_bias']] }),
  allow: optional(texts(), 'All the parameters that a caller may set.', { examples: [['model', 'messages']] }),
  values: optional(
    mapOf(Type.Array(anyJson(), { minItems: 1 }), ONE_OR_MORE),
    'The values that a parameter may have.',
    {
      examples: [{ 'response_format.type': ['text', 'json_object'] }],
    },
  ),
  on_violation: optional(
    words(ON_VIOLATION),
    'What becomes of a parameter that deny, allow or values does not admit.',
    {
      default: 'refuse',
    },
  ),
})

/** One entry of `params`, as it is written. */
export type RulePart = Static<typeof RuleEntry>

/** `match` of an entry, as it is written. */
export type MatchPart = NonNullable<RulePart['match']>
