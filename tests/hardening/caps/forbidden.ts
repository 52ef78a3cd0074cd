import type { Random } from '../random.ts'
import type { Hidden } from './disguises.ts'
import type { RequestParts } from './request-parts.ts'

/** Past the cap, or none to some servers. */
export const NUMBERS = [
  '5000',
  '101',
  '1e400',
  '5e3',
  '-1',
  '0',
  '-0',
  '0.5',
  '500e-2',
  '"5000"',
  '"50"',
  '[50]',
  '" 5000 "',
  '"5_000"',
  '[5000]',
  '100.5',
  'true',
]
/** Words for a cap, and for parts of one. */
export const CAP_WORDS = [
  ...[
    'max_tokens',
    'max_tokens',
    'max_completion_tokens',
    'max_output_tokens',
    'n_predict',
    'num_predict',
    'maxTokens',
  ],
  ...['max_new_tokens', 'max_length', 'max_gen_len', 'min_tokens', 'thinking_budget', 'max_tokens_to_sample'],
]
/** What holds parameters. */
export const WRAPPERS = [
  'options',
  'parameters',
  'generation_config',
  'generationConfig',
  'sampling_params',
  'extra_body',
]
/** Words for how many answers. */
export const COUNTS = [
  'n',
  'best_of',
  'num_choices',
  'candidate_count',
  'candidateCount',
  'num_return_sequences',
  'n_cmpl',
]

/** Other names for a model, at one server or another. */
export const MODEL_WORDS = [
  ...['engine', 'model_name', 'model_id', 'deployment', 'deployment_id', 'models', 'lora', 'adapter_id'],
]

/** What is forbidden: another model, a number past the cap, a parameter that is denied. */
export function forbidden(random: Random): Hidden {
  const kind = random.below(10)
  if (kind < 3) return { name: 'model', value: '"dear"' }
  if (kind < 4) return { name: random.pick(MODEL_WORDS), value: random.pick(['"dear"', '["dear"]']) }
  if (kind < 9) return { name: random.pick(CAP_WORDS), value: random.pick(NUMBERS) }
  return { name: 'logit_bias', value: '{"1":1}' }
}

/** Puts a member before or behind the others, or in the place of the one that has its name. */
export function insert(parts: RequestParts, random: Random, name: string, value: string): void {
  const at = random.pick(['front', 'end', 'instead', 'hidden'] as const)
  const present = parts.members.findIndex(([known]) => known === name)
  if (at === 'instead' && present !== -1) parts.members[present] = [name, value]
  // Behind another one of the same name, which counts for those who take the last.
  else if (at === 'hidden') parts.members.push([name, value], [name, random.pick(['"cheap"', 'null', '1'])])
  else if (at === 'front') parts.members.unshift([name, value])
  else parts.members.push([name, value])
}
