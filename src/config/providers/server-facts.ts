/** Parameters and values that a server is known to refuse: they are left out of its requests. */
export interface Lacks {
  /** By endpoint, the parameters that it knows: it refuses every other one. Endpoints that are not named take any. */
  readonly known: Readonly<Record<string, readonly string[]>>
  /** Whether it refuses parameters that are null, which for OpenAI means the same as absent. */
  readonly nulls: boolean
}

/** Facts about a server, seen by running it or read in its source. They hold for one version. */
export interface ServerFacts {
  /** The package and its version, such as `mlx-lm 0.32.2`. */
  readonly seen: string
  /** The path of its health beside its `/v1`; undefined: it has none. */
  readonly health: string | undefined
  /** The answer to `GET /v1/models`. */
  readonly models: string
  /** Whether a model that it does not have is answered for by the one that it has. */
  readonly servesAnyModel: boolean
  /** When a stream tells its usage. */
  readonly usage: string
  readonly lacks: Lacks | undefined
  /** Other surprises for a caller. */
  readonly notes: readonly string[]
}

/**
 * OpenAI's parameters (its specification, CreateChatCompletionRequest): transformers judges by the list of the openai package
 * beside it.
 */
const CHAT = [
  ...['audio', 'frequency_penalty', 'function_call', 'functions', 'logit_bias', 'logprobs', 'max_completion_tokens'],
  ...[
    'max_tokens',
    'messages',
    'metadata',
    'modalities',
    'model',
    'moderation',
    'n',
    'parallel_tool_calls',
    'prediction',
  ],
  ...['presence_penalty', 'prompt_cache_key', 'prompt_cache_options', 'prompt_cache_retention', 'reasoning_effort'],
  ...['response_format', 'safety_identifier', 'seed', 'service_tier', 'stop', 'store', 'stream', 'stream_options'],
  ...['temperature', 'tool_choice', 'tools', 'top_logprobs', 'top_p', 'user', 'verbosity', 'web_search_options'],
]
/** The same of CreateCompletionRequest. */
const TEXT = [
  ...['best_of', 'echo', 'frequency_penalty', 'logit_bias', 'logprobs', 'max_tokens', 'model', 'n', 'presence_penalty'],
  ...['prompt', 'seed', 'stop', 'stream', 'stream_options', 'suffix', 'temperature', 'top_p', 'user'],
]
/** Parameters that transformers takes beside OpenAI's, in its chats and texts. */
const OWN = ['generation_config']

const TRANSFORMERS: Lacks = {
  known: { 'chat/completions': [...CHAT, ...OWN, 'chat_template_kwargs'], completions: [...TEXT, ...OWN] },
  nulls: false,
}
const NO_NULLS: Lacks = { known: {}, nulls: true }

/** The facts by the name of the preset. */
export const SERVER_FACTS: ReadonlyMap<string, ServerFacts> = new Map<string, ServerFacts>([
  [
    'llamacpp',
    {
      seen: 'llama-server b11434',
      health: '/health',
      models: 'a list, also under `models`',
      servesAnyModel: true,
      usage: 'chats: where asked for; texts: always',
      lacks: undefined,
      notes: ['An image for a text model is a 500.', '`max_tokens: 0` generates a token.', 'A body in gzip is a 415.'],
    },
  ],
  [
    'vllm',
    {
      seen: 'vLLM 0.32.0',
      health: '/health',
      models: 'a list',
      servesAnyModel: false,
      usage: 'where asked for',
      lacks: undefined,
      notes: ['The caller’s X-Request-Id becomes the id of the answer.', '`stream_options` without `stream` is a 400.'],
    },
  ],
  [
    'transformers',
    {
      seen: 'transformers 5.23.0',
      health: '/health',
      models: 'an empty list',
      servesAnyModel: false,
      usage: 'always, in the chunk that finishes',
      lacks: TRANSFORMERS,
      notes: [
        'A parameter that OpenAI does not have is a 422: the preset leaves it out.',
        'A stream ends without `[DONE]`.',
        'Ignored: `n`, `response_format`, `tool_choice`, and `temperature` where the model’s own configuration does not sample.',
        'A wrong type is a 500, after which the connection is closed.',
        'An answer’s model has `@main` behind its name; a call that is no stream runs on when its client leaves.',
      ],
    },
  ],
  [
    'mlx_lm',
    {
      seen: 'mlx-lm 0.32.2',
      health: '/health',
      models: 'a list; a 200 without a body where the home has no hub cache',
      servesAnyModel: false,
      usage: 'where asked for',
      lacks: NO_NULLS,
      notes: [
        'A parameter that is null is a 400: the preset leaves it out.',
        'HTTP/1.0: a stream ends with its connection, also where the server died.',
        '404 is the answer to much: an unknown model, an image for a text model, a query behind the path.',
        'A body without a length is a 411. Errors are `{"error": "text"}`. `n` and `tool_choice` are ignored.',
        'Once its thread for generation has died, only its health says so.',
      ],
    },
  ],
  [
    'llama-cpp-python',
    {
      seen: 'llama-cpp-python 0.3.36',
      health: undefined,
      models: 'a list',
      servesAnyModel: true,
      usage: 'never',
      lacks: NO_NULLS,
      notes: [
        'What its schema does not like is a 500, never a 422: nulls (the preset leaves them out), the role `developer`, `json_schema`.',
        'An X-Request-Id that is no UUID is an empty 400.',
        '`max_completion_tokens` is ignored: a default of `max_tokens` goes in beside it, and `rename: { max_completion_tokens: max_tokens }` in `params` keeps the caller’s number.',
        'A stream whose prompt is too long is a 200 without one event.',
      ],
    },
  ],
  [
    'litellm',
    {
      seen: 'LiteLLM 1.108.6',
      health: '/health/liveliness',
      models: 'a list',
      servesAnyModel: false,
      usage: 'where asked for, in a chunk with one choice that says nothing',
      lacks: undefined,
      notes: [
        'Its `/health` asks all its upstreams, which costs money: it is never asked here.',
        'Without a database no key is a 500 in plain text, and a wrong key a 400 `no_db_connection`.',
        'Of `n: 2` a stream loses the second end; a model with `/` in its name is a 404 at `/v1/models/{id}`.',
      ],
    },
  ],
  [
    'litserve',
    {
      seen: 'LitServe 0.2.19',
      health: '/health',
      models: '404: it has no list',
      servesAnyModel: true,
      usage: 'always, and 0',
      lacks: NO_NULLS,
      notes: [
        'Each chunk of a stream has another id. `n: null` is a 500: the preset leaves nulls out.',
        '`tool_choice: required`, or a function by name, is a 422: it knows `any`.',
      ],
    },
  ],
  [
    'sglang',
    {
      seen: 'SGLang 0.5.23 (from its source; not run)',
      health: '/health',
      models: 'a list',
      servesAnyModel: false,
      usage: 'where asked for',
      lacks: undefined,
      notes: ['`/health_generate` generates a token: it is not asked here.'],
    },
  ],
])
