/** The parameters by which servers take a cap on the tokens of an answer, and its multipliers; as paths with dots. */
export interface CapWords {
  /** At most so many tokens. Less than one is no cap to some servers. */
  readonly caps: readonly string[]
  /** The least tokens of an answer, or tokens that it may spend on thinking; 0: none. */
  readonly budgets: readonly string[]
  /** How many answers there are to one prompt. */
  readonly counts: readonly string[]
  /** OpenAI's words that the server accepts and ignores. */
  readonly ignored: readonly string[]
}

/** OpenAI's own, which every server may take. */
export const OPENAI_WORDS: CapWords = {
  caps: ['max_tokens', 'max_completion_tokens', 'max_output_tokens'],
  budgets: [],
  counts: ['n', 'best_of'],
  ignored: [],
}

const GEMINI = ['generation_config.', 'generationConfig.']

/** The words of servers beside OpenAI's, by preset. Presets that are not named take OpenAI's only. */
const BESIDE: ReadonlyMap<string, Partial<CapWords>> = new Map<string, Partial<CapWords>>([
  // https://docs.anthropic.com/en/api/messages and /complete
  ['anthropic', { caps: ['max_tokens_to_sample'], budgets: ['thinking.budget_tokens'] }],
  [
    // https://ai.google.dev/api/generate-content#generationconfig: protocol buffers take both spellings.
    'gemini',
    {
      caps: ['maxOutputTokens', ...GEMINI.flatMap((at) => [`${at}max_output_tokens`, `${at}maxOutputTokens`])],
      budgets: [
        'google.thinking_config.thinking_budget',
        'extra_body.google.thinking_config.thinking_budget',
        ...GEMINI.flatMap((at) => [`${at}thinking_config.thinking_budget`, `${at}thinkingConfig.thinkingBudget`]),
      ],
      counts: [
        'candidate_count',
        'candidateCount',
        ...GEMINI.flatMap((at) => [`${at}candidate_count`, `${at}candidateCount`]),
      ],
    },
  ],
  // https://docs.mistral.ai/api: completion_args is that of conversations.
  ['mistral', { caps: ['completion_args.max_tokens'], budgets: ['min_tokens'] }],
  // https://openrouter.ai/docs/use-cases/reasoning-tokens
  ['openrouter', { budgets: ['reasoning.max_tokens', 'thinking.budget_tokens', 'min_tokens'] }],
  ['together', { budgets: ['min_tokens'] }],
  // https://docs.fireworks.ai/api-reference/post-chatcompletions
  ['fireworks', { budgets: ['thinking.budget_tokens', 'min_tokens'] }],
  // https://docs.ollama.com/modelfile#parameter
  ['ollama', { caps: ['num_predict', 'options.num_predict'] }],
  // Its /v1/complete is like Anthropic's (https://docs.x.ai/docs/api-reference).
  ['xai', { caps: ['max_tokens_to_sample'] }],
  ['vllm', { budgets: ['min_tokens', 'thinking_token_budget'] }],
  // Its engine is llama.cpp's.
  ['lmstudio', { caps: ['n_predict', 'maxTokens', 'maxPredictedTokens'] }],
  [
    // tools/server/README.md: n_predict goes before max_tokens, where both are there.
    'llamacpp',
    { caps: ['n_predict'], budgets: ['thinking_budget_tokens', 'reasoning_budget_tokens'], counts: ['n_cmpl'] },
  ],
  [
    'transformers',
    {
      caps: ['generation_config.max_new_tokens', 'generation_config.max_length'],
      budgets: ['generation_config.min_new_tokens', 'generation_config.min_length'],
      counts: ['generation_config.num_return_sequences'],
    },
  ],
  ['llama-cpp-python', { budgets: ['min_tokens'], ignored: ['max_completion_tokens'] }],
  [
    'sglang',
    {
      caps: ['sampling_params.max_new_tokens'],
      budgets: ['min_tokens', 'sampling_params.min_new_tokens'],
      counts: ['sampling_params.n'],
    },
  ],
])

/** Presets behind which any server or the user's own code may stand: they are treated as an upstream without a preset. */
const OF_ANYBODY: ReadonlySet<string> = new Set(['litellm', 'litserve'])

/** Words of servers without a preset, beside all of those. */
export const OTHER_WORDS: CapWords = {
  ignored: [],
  caps: [
    ...['max_new_tokens', 'max_length', 'max_gen_len', 'max_gen_toks', 'maxTokens', 'maxNewTokens', 'maxTokenCount'],
    ...['maxCompletionTokens', 'max_response_output_tokens', 'max_response_tokens', 'max_generated_tokens'],
    ...['max_generation_tokens', 'max_output_length', 'tokens_to_generate', 'max_tokens_to_generate', 'numPredict'],
    ...['maximum_tokens', 'max_answer_tokens', 'max_completion_length', 'maxLength', 'output_tokens'],
  ],
  budgets: [
    ...['min_new_tokens', 'min_length', 'max_thinking_tokens', 'thinking_budget', 'thinkingBudget', 'reasoning_budget'],
    ...['thinking.token_budget', 'thinking.budgetTokens', 'reasoning.budget_tokens', 'max_reasoning_tokens'],
  ],
  counts: [
    ...['num_choices', 'num_return_sequences', 'num_generations', 'num_completions', 'num_results', 'numResults'],
    ...['num_candidates', 'num_samples', 'num_outputs', 'num_responses', 'n_choices', 'n_samples'],
  ],
}
/** The objects that hold parameters at one server or another. */
const WITHIN = [
  ...['options', 'parameters', 'extra_body', 'generation_config', 'generationConfig', 'sampling_params'],
  ...['inferenceConfig', 'textGenerationConfig', 'completion_args'],
]

/** All that is known, for upstreams without a preset. */
const ALL: CapWords = {
  ...anywhere([OPENAI_WORDS, ...BESIDE.values(), OTHER_WORDS].reduce(join, OPENAI_WORDS)),
  // Most servers take all of OpenAI's: an unknown server is assumed to take them, too.
  ignored: [],
}

/**
 * The words of a preset; undefined: it may be anybody's server, and take any, as one without a preset may.
 *
 * @example
 * const words = capWordsOf('llamacpp') // caps: max_tokens, …, n_predict
 */
export function capWordsOf(preset: string | undefined): CapWords | undefined {
  return preset === undefined || OF_ANYBODY.has(preset) ? undefined : join(OPENAI_WORDS, BESIDE.get(preset) ?? {})
}

/**
 * The words of several upstreams together, each once: a rule is applied before the target is chosen. An upstream whose words are
 * undefined counts with all known words.
 *
 * @example
 * const words = joinCapWords(settings.upstreams.map(({ capWords }) => capWords))
 */
export function joinCapWords(all: readonly (CapWords | undefined)[]): CapWords {
  return all.reduce<CapWords>((joined, words) => join(joined, words ?? ALL), OPENAI_WORDS)
}

/**
 * Whether a path is a word for a cap or for a multiplier of one, at any server.
 *
 * @example
 * isCapWord('maxTokens') // true
 */
export function isCapWord(path: string): boolean {
  return ALL.caps.includes(path) || ALL.budgets.includes(path) || ALL.counts.includes(path)
}

function join(one: CapWords, other: Partial<CapWords>): CapWords {
  const both = (key: keyof CapWords): readonly string[] => [...new Set([...one[key], ...(other[key] ?? [])])]
  return { caps: both('caps'), budgets: both('budgets'), counts: both('counts'), ignored: both('ignored') }
}

/** The words as they are, and each single word also within every object that may hold parameters. */
function anywhere(words: CapWords): CapWords {
  const within = (names: readonly string[]): readonly string[] =>
    WITHIN.flatMap((outer) => names.filter((name) => !name.includes('.')).map((name) => `${outer}.${name}`))
  return join(words, {
    caps: within(words.caps),
    budgets: within(words.budgets),
    counts: within(words.counts),
  })
}
