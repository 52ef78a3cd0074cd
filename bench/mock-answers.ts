/** How many content chunks each stream of the mock upstream has; `data: [DONE]` comes after them. */
export const STREAM_CHUNKS = 50

/** Time between the chunks of a live stream. */
export const LIVE_GAP_MS = 20

/**
 * The models by which a request tells the mock upstream what to answer: a whole answer, or a stream that comes as fast as it is
 * taken, with a gap between its chunks, or with one chunk and then none until its caller leaves.
 */
export const MODELS = { json: 'bench-json', flat: 'bench-flat', live: 'bench-live', idle: 'bench-idle' } as const

const CREATED = 1_790_000_000
const WORDS = 'The quick brown fox jumps over the lazy dog, and the gateway in between lets every byte of it through. '

/** The text of the whole JSON answer's message. */
export const ANSWER_TEXT = WORDS.repeat(6).trim()

/** The body of a non-streamed answer, about 1 KB as a short chat answer has. */
export const ANSWER_BODY = JSON.stringify({
  id: 'chatcmpl-bench0000000000000000000000',
  object: 'chat.completion',
  created: CREATED,
  model: 'bench-model',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: ANSWER_TEXT, refusal: null, annotations: [] },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: {
    prompt_tokens: 200,
    completion_tokens: 132,
    total_tokens: 332,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0 },
  },
  service_tier: 'default',
  system_fingerprint: 'fp_bench',
})

/** The body of GET /v1/models. */
export const MODELS_BODY = JSON.stringify({
  object: 'list',
  data: Object.values(MODELS).map((id) => ({ id, object: 'model', created: CREATED, owned_by: 'bench' })),
})

function chunkWord(index: number): string {
  const words = WORDS.trim().split(' ')
  return `${words[index % words.length]} `
}

function event(index: number): string {
  const isLast = index === STREAM_CHUNKS - 1
  const chunk = {
    id: 'chatcmpl-bench0000000000000000000000',
    object: 'chat.completion.chunk',
    created: CREATED,
    model: 'bench-model',
    service_tier: 'default',
    system_fingerprint: 'fp_bench',
    choices: [
      {
        index: 0,
        delta: index === 0 ? { role: 'assistant', content: chunkWord(index) } : { content: chunkWord(index) },
        logprobs: null,
        finish_reason: isLast ? 'stop' : null,
      },
    ],
  }
  return `data: ${JSON.stringify(chunk)}\n\n`
}

/** The content events of a stream, in order. */
export const STREAM_EVENTS: readonly string[] = Array.from({ length: STREAM_CHUNKS }, (_, index) => event(index))

/** The text that a stream's deltas add up to. */
export const STREAM_TEXT = Array.from({ length: STREAM_CHUNKS }, (_, index) => chunkWord(index)).join('')

/** What ends a complete stream. */
export const STREAM_END = 'data: [DONE]\n\n'

/** The whole body of a stream. */
export const STREAM_BODY = STREAM_EVENTS.join('') + STREAM_END
