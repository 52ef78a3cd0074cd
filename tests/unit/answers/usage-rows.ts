import type { ToldUsage, Usage } from '../../../src/openai/usage/usage.ts'

/** What is to be read from an answer of `tests/fixtures/usage/`: all counts that are not 0, and what else it tells. */
export interface UsageRow {
  readonly file: string
  readonly usage: Partial<Usage>
  readonly told?: Partial<Omit<ToldUsage, 'usage'>>
}

const MINI = 'gpt-5.4-mini-2026-03-05'
const RESPONSE = { inputText: 2000, inputCachedText: 1280, outputText: 154, outputReasoning: 256 }
const TOOLS = { webSearches: 2, fileSearches: 1, codeSessions: 1, images: 1 }
const CLAUDE = {
  ...{ inputText: 21, inputCachedText: 1024, inputCacheWrite: 88, inputCacheWrite1h: 100 },
  ...{ outputText: 353, outputReasoning: 40, webSearches: 2 },
}

/** Every form in which servers tell what an answer has used; of each, what is in it. */
export const USAGE_ROWS: readonly UsageRow[] = [
  {
    file: 'chat.json',
    usage: {
      inputText: 80,
      inputAudio: 13,
      inputCachedText: 1024,
      outputText: 20,
      outputAudio: 6,
      outputReasoning: 20,
    },
    told: { tier: 'flex', model: MINI, object: 'chat.completion' },
  },
  { file: 'chat-stream.sse', usage: { inputText: 19, outputText: 10 }, told: { tier: 'priority', model: MINI } },
  { file: 'chat-stream-without.sse', usage: { outputText: 7 }, told: { model: MINI, isEstimated: true } },
  { file: 'completions-stream.sse', usage: { inputText: 5, outputText: 7 } },
  { file: 'responses.json', usage: { ...RESPONSE, ...TOOLS }, told: { tier: 'default', status: 'completed' } },
  { file: 'responses-stream.sse', usage: { ...RESPONSE, ...TOOLS }, told: { status: 'completed' } },
  { file: 'responses-stream-incomplete.sse', usage: { ...RESPONSE, ...TOOLS }, told: { status: 'incomplete' } },
  { file: 'responses-stream-failed.sse', usage: { inputText: 11, outputText: 2 }, told: { status: 'failed' } },
  { file: 'responses-stream-cut.sse', usage: { outputText: 2 }, told: { status: 'in_progress', isEstimated: true } },
  {
    file: 'responses-background.json',
    usage: RESPONSE,
    told: { object: 'response', status: 'completed', isBackground: true },
  },
  { file: 'embeddings.json', usage: { inputText: 8 }, told: { model: 'text-embedding-3-small' } },
  { file: 'images.json', usage: { inputText: 10, inputImage: 40, outputImage: 544, images: 2 } },
  { file: 'images-dalle.json', usage: { images: 2 } },
  {
    file: 'images-svg.json',
    usage: { inputText: 60, outputText: 300, outputReasoning: 100, outputImage: 544, images: 1 },
  },
  { file: 'images-stream.sse', usage: { inputText: 10, inputImage: 40, outputImage: 1056, images: 1 } },
  { file: 'images-edit-stream.sse', usage: { inputText: 1, inputImage: 4, outputImage: 7, images: 1 } },
  { file: 'transcription-tokens.json', usage: { inputText: 2, inputAudio: 12, outputText: 9 } },
  { file: 'transcription-duration.json', usage: { seconds: 12 } },
  { file: 'transcription-stream.sse', usage: { inputAudio: 14, outputText: 3 } },
  { file: 'speech-stream.sse', usage: { inputText: 6, outputAudio: 48 } },
  { file: 'batch.json', usage: { inputText: 2200, inputCachedText: 34, outputText: 200, outputReasoning: 100 } },
  { file: 'azure-stream.sse', usage: { inputText: 12, outputText: 17 }, told: { model: 'gpt-4o-2024-11-20' } },
  { file: 'anthropic-chat.json', usage: { inputText: 12, outputText: 6 } },
  { file: 'anthropic-messages.json', usage: CLAUDE, told: { tier: 'standard', model: 'claude-sonnet-5' } },
  { file: 'anthropic-messages-stream.sse', usage: CLAUDE, told: { tier: 'standard', model: 'claude-sonnet-5' } },
  {
    file: 'anthropic-messages-stream-cut.sse',
    usage: { inputText: 21, inputCachedText: 1024, inputCacheWrite: 88, inputCacheWrite1h: 100, outputText: 3 },
    told: { isEstimated: true },
  },
  { file: 'gemini-stream.sse', usage: { inputText: 20, outputText: 198, outputReasoning: 405 } },
  {
    file: 'gemini-native.json',
    usage: {
      ...{ inputText: 172, inputAudio: 60, inputCachedText: 60, inputCachedAudio: 40 },
      ...{ outputText: 198, outputReasoning: 405 },
    },
    told: { model: 'gemini-3-flash' },
  },
  { file: 'deepseek-stream.sse', usage: { inputText: 47, inputCachedText: 64, outputText: 11 } },
  { file: 'deepseek.json', usage: { inputText: 47, inputCachedText: 64, outputText: 11 } },
  { file: 'groq-stream.sse', usage: { inputText: 18, outputText: 7 } },
  { file: 'groq-stream-asked.sse', usage: { inputText: 18, outputText: 7 } },
  {
    file: 'openrouter-stream.sse',
    usage: { inputText: 94, inputCacheWrite: 100, outputText: 2 },
    told: { cost: 950_000 },
  },
  { file: 'openrouter-own-key.json', usage: { inputText: 100, outputText: 10 }, told: { cost: 262_500 } },
  { file: 'mistral-stream.sse', usage: { inputText: 9, inputCachedText: 2, outputText: 4 } },
  {
    file: 'xai.json',
    usage: { inputText: 9992, inputCachedText: 128, outputText: 1499, outputReasoning: 2809 },
    told: { cost: 23_285_600 },
  },
  { file: 'xai-stream.sse', usage: { inputText: 32, outputText: 9, outputReasoning: 94 } },
  {
    file: 'perplexity.json',
    usage: { inputText: 33, outputText: 7163, outputReasoning: 94_013, webSearches: 18 },
    told: { cost: 409_000_000 },
  },
  { file: 'perplexity-stream.sse', usage: { inputText: 1965, outputText: 3 } },
  { file: 'cohere.json', usage: { inputText: 5, outputText: 418 } },
  { file: 'cohere-stream.sse', usage: { inputText: 5, outputText: 418 } },
  { file: 'moonshot-stream.sse', usage: { inputText: 19, outputText: 13 } },
  { file: 'vllm-continuous.sse', usage: { inputText: 30, outputText: 5 } },
  { file: 'llamacpp-stream.sse', usage: { inputText: 1, inputCachedText: 236, outputText: 35 } },
  { file: 'llamacpp-stream-asked.sse', usage: { inputText: 1, inputCachedText: 236, outputText: 35 } },
  { file: 'ollama-native.ndjson', usage: { inputText: 26, outputText: 282 }, told: { model: 'llama3.2' } },
  { file: 'litserve-stream.sse', usage: { outputText: 4 }, told: { isEstimated: true } },
  { file: 'moderations.json', usage: {} },
]
