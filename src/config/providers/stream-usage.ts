/**
 * When a server tells the usage of a stream of a chat or text completion.
 *
 * `asked`: only where `stream_options.include_usage` asks for it; `always`: without being asked, and some of these servers refuse to be asked;
 * `never`: it can't be asked; `unknown`: it can be asked, and may tell it without, too.
 */
export type StreamUsage = 'asked' | 'always' | 'never' | 'unknown'

/**
 * The presets for which it is known. Sources: the providers' documentation, `server-facts.ts` for servers that were run; Mistral refuses to be
 * asked (422 `extra_forbidden`: openai-agents-python#442), Groq tells it in `x_groq`, DeepSeek says that the last event always has it, OpenRouter says that the option has no effect. llama.cpp's last chunk
 * has `timings`, which are moved into the chunk of usage where that is asked for: who cuts that out would lose them (tools/server/server-task.cpp).
 */
const BY_PRESET: ReadonlyMap<string, StreamUsage> = new Map<string, StreamUsage>([
  ...(
    ['openai', 'azure', 'anthropic', 'gemini', 'ollama', 'vllm', 'lmstudio', 'mlx_lm', 'litellm', 'sglang'] as const
  ).map((name): readonly [string, StreamUsage] => [name, 'asked']),
  ...(['groq', 'mistral', 'deepseek', 'openrouter', 'llamacpp', 'transformers', 'litserve'] as const).map(
    (name): readonly [string, StreamUsage] => [name, 'always'],
  ),
  ['llama-cpp-python', 'never'],
])

/**
 * When the server of an upstream tells a stream's usage, by its preset or vendor; `mayAsk`: as the file says.
 *
 * @example
 * streamUsageOf('mistral', undefined) // 'always'
 */
export function streamUsageOf(name: string | undefined, mayAsk: boolean | undefined): StreamUsage {
  const known = (name === undefined ? undefined : BY_PRESET.get(name)) ?? 'unknown'
  if (mayAsk === false) return known === 'always' ? 'always' : 'never'
  return mayAsk === true && known !== 'asked' ? 'unknown' : known
}
