import { type JsonObject, objectsIn } from './json-value.ts'

/** A message of a stream, or a comment line in it. */
type Message = JsonObject | string

/** What a server's form is made of. */
export interface CountedForm {
  /** Of the answer, as OpenAI counts it. */
  readonly prompt: number
  readonly completion: number
  /** OpenAI's own object for that. */
  readonly usage: JsonObject
  /** Whether the request asks for the usage of its stream. */
  readonly isAsked: boolean
}

type StreamOf = (chunks: readonly JsonObject[], form: CountedForm) => readonly Message[]

/** One way in which a server tells what it has used. */
interface UsageShape {
  readonly meaning: string
  /** The `usage` of an answer that is no stream; undefined: it tells none. */
  readonly usage: (form: CountedForm) => JsonObject | undefined
  /** The messages of a stream, from those without usage; absent: in an extra message at the end, where that is asked for. */
  readonly stream?: StreamOf
}

const REASONING = 7
const CACHED = 2

/** `usage` in the last message that has a choice. */
function inLast(usage: (form: CountedForm) => JsonObject): StreamOf {
  return (chunks, form) => withLast(chunks, (last) => ({ ...last, usage: usage(form) }))
}

/** `usage` in each message: of what was written so far. */
function inEach(usage: (form: CountedForm) => JsonObject): StreamOf {
  return (chunks, form) =>
    chunks.map((chunk, at) => {
      const completion = Math.floor((form.completion * (at + 1)) / chunks.length)
      return { ...chunk, usage: usage({ ...form, completion }) }
    })
}

const plain = ({ prompt, completion }: CountedForm): JsonObject => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
})
const thinking = ({ prompt, completion }: CountedForm): JsonObject => ({
  ...plain({ prompt, completion } as CountedForm),
  total_tokens: prompt + completion + REASONING,
})
const xai = (form: CountedForm): JsonObject => ({
  ...thinking(form),
  completion_tokens_details: { reasoning_tokens: REASONING },
  cost_in_usd_ticks: (form.prompt + form.completion + REASONING) * 20_000,
})
const deepseek = (form: CountedForm): JsonObject => ({
  ...plain(form),
  prompt_cache_hit_tokens: CACHED,
  prompt_cache_miss_tokens: form.prompt - CACHED,
})
const perplexity = (form: CountedForm): JsonObject => ({
  ...plain(form),
  citation_tokens: 5,
  num_search_queries: 1,
  reasoning_tokens: REASONING,
  cost: { total_cost: 0.005 },
})
const openrouter = (form: CountedForm): JsonObject => ({ ...form.usage, cost: 0.00095, is_byok: false })

/** Everything that can be asked for, by its name in `x-simulate: usage=NAME` and in a model's name, `usage-NAME`. */
export const usageShapes: Readonly<Record<string, UsageShape>> = {
  none: { meaning: 'none, asked for or not', usage: () => undefined, stream: (chunks) => chunks },
  zero: { meaning: 'zeros', usage: zeros, stream: inLast(zeros) },
  azure: {
    meaning: 'as OpenAI, behind a first message with the results of its filters and no choice',
    usage: ({ usage }) => usage,
    stream: (chunks, form) => {
      const first = { ...chunks[0], choices: [], prompt_filter_results: [{ prompt_index: 0 }] }
      return asOpenAI([first, ...chunks], form)
    },
  },
  groq: {
    meaning: 'in `x_groq` of the last message, asked for or not',
    usage: plain,
    stream: (chunks, form) => {
      const told = withLast(chunks, (last) => ({ ...last, x_groq: { id: 'req_simulated', usage: plain(form) } }))
      return form.isAsked ? [...told, { ...chunks.at(-1), choices: [], usage: plain(form) }] : told
    },
  },
  mistral: { meaning: 'in the last message with a choice', usage: plain, stream: inLast(plain) },
  deepseek: { meaning: 'there too, with hits and misses of the cache', usage: deepseek, stream: inLast(deepseek) },
  moonshot: {
    meaning: 'within the last choice',
    usage: plain,
    stream: (chunks, form) =>
      withLast(chunks, (last) => ({
        ...last,
        choices: objectsIn(last['choices']).map((choice) => ({ ...choice, usage: plain(form) })),
      })),
  },
  gemini: { meaning: 'in each message; reasoning only in the total', usage: thinking, stream: inEach(thinking) },
  perplexity: { meaning: 'in each message; with its cost', usage: perplexity, stream: inEach(perplexity) },
  continuous: {
    meaning: 'in each message, the sum so far, as vLLM’s `continuous_usage_stats`',
    usage: plain,
    stream: (chunks, form) => [
      ...chunks.map((chunk, at) => ({
        ...chunk,
        usage: plain({ ...form, completion: Math.min(at, form.completion) }),
      })),
      { ...chunks.at(-1), choices: [], usage: plain(form) },
    ],
  },
  xai: {
    meaning: 'without its reasoning, which is in the total; with its cost; a message follows',
    usage: xai,
    stream: (chunks, form) => [
      ...chunks,
      ...(form.isAsked ? [{ ...chunks.at(-1), choices: [], usage: xai(form) }] : []),
      { ...chunks.at(-1), choices: [] },
    ],
  },
  openrouter: {
    meaning: 'in a last message, always, with its cost; comments come first',
    usage: openrouter,
    stream: (chunks, form) => [
      ': OPENROUTER PROCESSING',
      ...chunks,
      {
        ...chunks.at(-1),
        choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
        usage: openrouter(form),
      },
    ],
  },
  cohere: {
    meaning: 'what is billed, and what was used',
    usage: ({ prompt, completion }) => ({
      billed_units: { input_tokens: prompt, output_tokens: completion },
      tokens: { input_tokens: prompt + 60, output_tokens: completion + 2 },
    }),
  },
  llamacpp: {
    meaning: '`timings` in the last message, and usage where it is asked for',
    usage: plain,
    stream: (chunks, form) => {
      const timings = { cache_n: CACHED, prompt_n: form.prompt - CACHED, predicted_n: form.completion }
      const told = withLast(chunks, (last) => ({ ...last, timings }))
      return form.isAsked ? [...told, { ...chunks.at(-1), choices: [], usage: plain(form), timings }] : told
    },
  },
}

function zeros(): JsonObject {
  return { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
}

/** In an extra message at the end, where it is asked for; each message before has `usage: null` then. */
export function asOpenAI(chunks: readonly JsonObject[], { usage, isAsked }: CountedForm): readonly Message[] {
  if (!isAsked) return chunks
  return [...chunks.map((chunk) => ({ ...chunk, usage: null })), { ...chunks.at(-1), choices: [], usage }]
}

function withLast(chunks: readonly JsonObject[], change: (last: JsonObject) => JsonObject): JsonObject[] {
  return chunks.map((chunk, at) => (at === chunks.length - 1 ? change(chunk) : chunk))
}
