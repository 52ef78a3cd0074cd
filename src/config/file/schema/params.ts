import { Type } from '@sinclair/typebox'
import { anyJson, closed, mapOf, optional, text, textOrTexts, texts, words } from './fields.ts'

const MatchSection = closed('match', {
  model: optional(textOrTexts(), 'Names of models, with * for any characters; any of them.', { examples: ['gpt-*'] }),
  endpoint: optional(textOrTexts(), 'Paths below /v1/, with * for any characters; any of them.', {
    examples: ['chat/completions'],
  }),
  principal: optional(
    textOrTexts(),
    'Names of tokens, or kinds of callers (token, caller, local), with *; any of them.',
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

/** One entry of `params`: which requests it is for, and what becomes of their parameters. */
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
    words(['refuse', 'drop']),
    'What becomes of a parameter that deny, allow or values does not admit.',
    {
      default: 'refuse',
    },
  ),
})
