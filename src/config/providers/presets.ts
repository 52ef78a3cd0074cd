import { SERVER_FACTS, type ServerFacts } from './server-facts.ts'

/** A provider whose API speaks OpenAI's protocol: the values that an upstream of that preset starts from. */
export interface Preset {
  readonly name: string
  /** The provider's name, for people. */
  readonly title: string
  /** Without a slash at its end; undefined where each customer has their own, so that `base_url` must be given. */
  readonly baseUrl: string | undefined
  /** Lower case; a key goes behind `Bearer ` in `authorization`, and alone in any other header. */
  readonly keyHeader: string
  /** The same for Anthropic's protocol; absent: `keyHeader`. */
  readonly anthropicKeyHeader?: string
  readonly needsKey: boolean
  /** The path behind the base URL for calls of a model; undefined: the caller's. */
  readonly modelPath: string | undefined
  readonly query: Readonly<Record<string, string>>
  /** URL of the documentation that all this is from. */
  readonly source: string
  /** Facts about the server beyond its documentation. */
  readonly facts?: ServerFacts | undefined
}

/** The usual form: a key behind `Bearer `, and OpenAI's own paths below the base. */
const USUAL = { keyHeader: 'authorization', needsKey: true, modelPath: undefined, query: {} } as const

/** Servers on one's own machine or network, which ask for no key by default. */
const LOCAL = { ...USUAL, needsKey: false } as const

const ALL: readonly Preset[] = [
  {
    ...USUAL,
    name: 'openai',
    title: 'OpenAI',
    baseUrl: 'https://api.openai.com/v1',
    source: 'https://platform.openai.com/docs/api-reference/introduction',
  },
  {
    name: 'azure',
    title: 'Azure OpenAI',
    baseUrl: undefined,
    keyHeader: 'api-key',
    needsKey: true,
    modelPath: '/deployments/{model}{path}',
    query: { 'api-version': '2024-10-21' },
    source: 'https://learn.microsoft.com/azure/ai-foundry/openai/reference',
  },
  {
    ...USUAL,
    name: 'anthropic',
    title: 'Anthropic',
    baseUrl: 'https://api.anthropic.com/v1',
    // Its OpenAI endpoint takes keys behind Bearer; its own takes only tokens of its subscriptions there.
    anthropicKeyHeader: 'x-api-key',
    source: 'https://platform.claude.com/docs/en/cli-sdks-libraries/libraries/openai-sdk',
  },
  {
    ...USUAL,
    name: 'gemini',
    title: 'Google Gemini',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
    source: 'https://ai.google.dev/gemini-api/docs/openai',
  },
  {
    ...USUAL,
    name: 'groq',
    title: 'Groq',
    baseUrl: 'https://api.groq.com/openai/v1',
    source: 'https://console.groq.com/docs/openai',
  },
  {
    ...USUAL,
    name: 'mistral',
    title: 'Mistral',
    baseUrl: 'https://api.mistral.ai/v1',
    source: 'https://docs.mistral.ai/api',
  },
  {
    ...USUAL,
    name: 'deepseek',
    title: 'DeepSeek',
    baseUrl: 'https://api.deepseek.com',
    source: 'https://api-docs.deepseek.com',
  },
  {
    ...USUAL,
    name: 'openrouter',
    title: 'OpenRouter',
    baseUrl: 'https://openrouter.ai/api/v1',
    source: 'https://openrouter.ai/docs/quickstart',
  },
  {
    ...USUAL,
    name: 'together',
    title: 'Together AI',
    baseUrl: 'https://api.together.ai/v1',
    source: 'https://docs.together.ai/docs/inference/openai-compatibility',
  },
  {
    ...USUAL,
    name: 'fireworks',
    title: 'Fireworks AI',
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    source: 'https://docs.fireworks.ai/tools-sdks/openai-compatibility',
  },
  {
    ...USUAL,
    name: 'xai',
    title: 'xAI',
    baseUrl: 'https://api.x.ai/v1',
    source: 'https://docs.x.ai/api/integrations',
  },
  {
    ...LOCAL,
    name: 'ollama',
    title: 'Ollama',
    baseUrl: 'http://127.0.0.1:11434/v1',
    source: 'https://docs.ollama.com/api/openai-compatibility',
  },
  {
    ...LOCAL,
    name: 'vllm',
    title: 'vLLM',
    baseUrl: 'http://127.0.0.1:8000/v1',
    source: 'https://docs.vllm.ai/en/v0.8.1/serving/openai_compatible_server.html',
  },
  {
    ...LOCAL,
    name: 'lmstudio',
    title: 'LM Studio',
    baseUrl: 'http://127.0.0.1:1234/v1',
    source: 'https://lmstudio.ai/docs/developer/openai-compat',
  },
  {
    ...LOCAL,
    name: 'llamacpp',
    title: 'llama.cpp',
    baseUrl: 'http://127.0.0.1:8080/v1',
    source: 'https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md',
  },
  {
    ...LOCAL,
    name: 'transformers',
    title: 'transformers serve',
    baseUrl: 'http://127.0.0.1:8000/v1',
    source: 'https://huggingface.co/docs/transformers/main/serving',
  },
  {
    ...LOCAL,
    name: 'mlx_lm',
    title: 'mlx_lm.server',
    baseUrl: 'http://127.0.0.1:8080/v1',
    source: 'https://github.com/ml-explore/mlx-lm/blob/main/mlx_lm/SERVER.md',
  },
  {
    ...LOCAL,
    name: 'llama-cpp-python',
    title: 'llama-cpp-python',
    baseUrl: 'http://127.0.0.1:8000/v1',
    source: 'https://llama-cpp-python.readthedocs.io/en/latest/server/',
  },
  {
    ...LOCAL,
    name: 'litellm',
    title: 'LiteLLM proxy',
    baseUrl: 'http://127.0.0.1:4000/v1',
    source: 'https://docs.litellm.ai/docs/proxy/quick_start',
  },
  {
    ...LOCAL,
    name: 'litserve',
    title: 'LitServe',
    baseUrl: 'http://127.0.0.1:8000/v1',
    source: 'https://lightning.ai/docs/litserve/features/open-ai-spec',
  },
  {
    ...LOCAL,
    name: 'sglang',
    title: 'SGLang',
    baseUrl: 'http://127.0.0.1:30000/v1',
    source: 'https://docs.sglang.ai/basic_usage/openai_api.html',
  },
]

/**
 * The presets by name, from the providers' own documentation.
 *
 * @example
 * const preset = PRESETS.get('groq')
 */
export const PRESETS: ReadonlyMap<string, Preset> = new Map(
  ALL.map((preset) => [preset.name, { ...preset, facts: SERVER_FACTS.get(preset.name) }]),
)
