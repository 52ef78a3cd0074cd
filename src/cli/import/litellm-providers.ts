/** One of LiteLLM's providers that speaks OpenAI's protocol. */
export interface LitellmProvider {
  /** The name of its upstreams. */
  readonly name: string
  /** The preset that has its base URL, unless `api_base` says otherwise. */
  readonly preset?: string
  /** Its base URL, if there is no preset. */
  readonly baseUrl?: string
  /** The variable that LiteLLM takes a missing base URL from. */
  readonly baseVariable?: string
  /** The variable that LiteLLM takes a missing key from. */
  readonly keyVariable?: string
  /** The path of OpenAI's protocol, if LiteLLM's `api_base` is the base of another protocol. */
  readonly path?: string
  /** Whether LiteLLM speaks the provider's own protocol to it. */
  readonly isTranslated?: boolean
}

const OPENAI: LitellmProvider = { name: 'openai', preset: 'openai', keyVariable: 'OPENAI_API_KEY' }
const AZURE: LitellmProvider = {
  name: 'azure',
  preset: 'azure',
  baseVariable: 'AZURE_API_BASE',
  keyVariable: 'AZURE_API_KEY',
}
const OLLAMA: LitellmProvider = { name: 'ollama', preset: 'ollama', path: '/v1' }

/**
 * LiteLLM's providers that speak OpenAI's protocol, by LiteLLM's names for them; base URLs and variables are those of
 * https://github.com/BerriAI/litellm/blob/main/litellm/litellm_core_utils/get_llm_provider_logic.py.
 */
const PROVIDERS: ReadonlyMap<string, LitellmProvider> = new Map([
  ['openai', OPENAI],
  ['text-completion-openai', OPENAI],
  ['custom_openai', { name: 'custom', keyVariable: 'OPENAI_API_KEY' }],
  ['openai_like', { name: 'custom' }],
  ['litellm_proxy', { name: 'litellm', baseVariable: 'LITELLM_PROXY_API_BASE', keyVariable: 'LITELLM_PROXY_API_KEY' }],
  ['azure', AZURE],
  ['azure_text', AZURE],
  [
    'anthropic',
    { name: 'anthropic', preset: 'anthropic', keyVariable: 'ANTHROPIC_API_KEY', path: '/v1', isTranslated: true },
  ],
  [
    'gemini',
    { name: 'gemini', preset: 'gemini', keyVariable: 'GEMINI_API_KEY', path: '/v1beta/openai', isTranslated: true },
  ],
  ['groq', { name: 'groq', preset: 'groq', keyVariable: 'GROQ_API_KEY' }],
  ['mistral', { name: 'mistral', preset: 'mistral', keyVariable: 'MISTRAL_API_KEY' }],
  ['deepseek', { name: 'deepseek', preset: 'deepseek', keyVariable: 'DEEPSEEK_API_KEY' }],
  ['openrouter', { name: 'openrouter', preset: 'openrouter', keyVariable: 'OPENROUTER_API_KEY' }],
  ['together_ai', { name: 'together', preset: 'together', keyVariable: 'TOGETHER_API_KEY' }],
  ['fireworks_ai', { name: 'fireworks', preset: 'fireworks', keyVariable: 'FIREWORKS_API_KEY' }],
  ['xai', { name: 'xai', preset: 'xai', keyVariable: 'XAI_API_KEY' }],
  ['ollama', OLLAMA],
  ['ollama_chat', OLLAMA],
  ['hosted_vllm', { name: 'vllm', preset: 'vllm', baseVariable: 'HOSTED_VLLM_API_BASE' }],
  ['lm_studio', { name: 'lmstudio', preset: 'lmstudio', baseVariable: 'LM_STUDIO_API_BASE' }],
  ['llamafile', { name: 'llamafile', preset: 'llamacpp' }],
  ['xinference', { name: 'xinference', baseVariable: 'XINFERENCE_API_BASE' }],
  ['perplexity', { name: 'perplexity', baseUrl: 'https://api.perplexity.ai', keyVariable: 'PERPLEXITYAI_API_KEY' }],
  [
    'deepinfra',
    { name: 'deepinfra', baseUrl: 'https://api.deepinfra.com/v1/openai', keyVariable: 'DEEPINFRA_API_KEY' },
  ],
  [
    'nvidia_nim',
    { name: 'nvidia_nim', baseUrl: 'https://integrate.api.nvidia.com/v1', keyVariable: 'NVIDIA_NIM_API_KEY' },
  ],
  ['cerebras', { name: 'cerebras', baseUrl: 'https://api.cerebras.ai/v1', keyVariable: 'CEREBRAS_API_KEY' }],
  ['sambanova', { name: 'sambanova', baseUrl: 'https://api.sambanova.ai/v1', keyVariable: 'SAMBANOVA_API_KEY' }],
  ['meta_llama', { name: 'meta_llama', baseUrl: 'https://api.llama.com/compat/v1', keyVariable: 'LLAMA_API_KEY' }],
  [
    'volcengine',
    { name: 'volcengine', baseUrl: 'https://ark.cn-beijing.volces.com/api/v3', keyVariable: 'VOLCENGINE_API_KEY' },
  ],
  ['codestral', { name: 'codestral', baseUrl: 'https://codestral.mistral.ai/v1', keyVariable: 'CODESTRAL_API_KEY' }],
  [
    'friendliai',
    { name: 'friendliai', baseUrl: 'https://api.friendli.ai/serverless/v1', keyVariable: 'FRIENDLIAI_API_KEY' },
  ],
])

/** Model names whose provider LiteLLM knows without a prefix. */
const OPENAI_MODEL =
  /^(?:\*$|gpt-|chatgpt-|ft:|o[1-9](?:-|$)|text-embedding-|text-moderation|omni-moderation|dall-e-|whisper-|tts-|codex-|computer-use-|davinci-|babbage-|sora-)/
const ANTHROPIC_MODEL = /^claude-/

const RESPONSES = 'responses/'

/** A provider's model. */
export interface ProviderModel {
  /** LiteLLM's name for the provider. */
  readonly provider: string
  /** undefined: the provider is not known to speak OpenAI's protocol. */
  readonly known: LitellmProvider | undefined
  /** The provider's name for the model. */
  readonly model: string
  /** Whether LiteLLM turns its chats into calls of `/v1/responses`. */
  readonly isResponses: boolean
}

/**
 * Splits LiteLLM's `provider/model`; undefined: it names no provider.
 *
 * @example
 * providerModel('azure/gpt-4o', undefined)
 */
export function providerModel(name: string, customProvider: string | undefined): ProviderModel | undefined {
  // Without a provider, the endpoint may stand in front.
  if (customProvider === undefined && name.startsWith(RESPONSES)) {
    const found = providerModel(name.slice(RESPONSES.length), undefined)
    return found && { ...found, isResponses: true }
  }
  const slash = name.indexOf('/')
  const prefix = slash === -1 ? undefined : name.slice(0, slash)
  const provider = customProvider ?? prefix ?? providerOfModel(name)
  if (provider === undefined) return undefined
  const rest = prefix === provider ? name.slice(slash + 1) : name
  // Azure's model families, and any provider's endpoint, may stand before the model's own name.
  const named = provider === 'azure' ? rest.replace(/^(?:o_series|gpt5_series)\//, '') : rest
  const isResponses = named.startsWith(RESPONSES)
  return {
    provider,
    known: PROVIDERS.get(provider),
    model: isResponses ? named.slice(RESPONSES.length) : named,
    isResponses,
  }
}

function providerOfModel(name: string): string | undefined {
  if (OPENAI_MODEL.test(name)) return 'openai'
  return ANTHROPIC_MODEL.test(name) ? 'anthropic' : undefined
}
