/** Ten rules that all match; some find nothing to do, as in a real file, and some change the body. */
export const TEN_RULES = [
  { defaults: { temperature: 0.7 } },
  { clamp: { max_tokens: { max: 1500 } } },
  { clamp: { temperature: { min: 0, max: 1 } } },
  { deny: ['logit_bias'] },
  { drop: ['service_tier'] },
  { overrides: { user: 'shared' } },
  { match: { endpoint: 'chat/*' }, rename: { max_output_tokens: 'max_tokens' } },
  { values: { 'response_format.type': ['text', 'json_object'] } },
  { match: { model: '*' }, defaults: { top_p: 1 } },
  { require: ['messages'] },
]
