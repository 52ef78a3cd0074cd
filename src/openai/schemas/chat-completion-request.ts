import { type Static, Type } from '@sinclair/typebox'
import { AudioOutput, Metadata, Moderation, Prediction, PromptCacheOptions, WebSearchOptions } from './chat-options.ts'
import { Message } from './message.ts'
import { anyObject, nullable, openEnum, openObject, otherType } from './open-object.ts'
import { FrequencyPenalty, LogitBias, PresencePenalty, Stop, StreamOptions, Temperature, TopP } from './sampling.ts'
import { FunctionCallChoice, FunctionDefinition, Tool, ToolChoice } from './tool.ts'

const JsonSchemaFormat = openObject(
  {
    type: Type.Literal('json_schema'),
    json_schema: Type.Optional(
      openObject(
        {
          name: Type.Optional(Type.String({ description: 'What the format is called.' })),
          description: nullable(Type.String({ description: 'Tells the model what the format is for.' })),
          schema: nullable(anyObject('The JSON Schema that the answer follows.')),
          strict: nullable(Type.Boolean({ description: 'Whether the answer must follow the schema exactly.' })),
        },
        { description: 'The schema of the answer, named.' },
      ),
    ),
  },
  { description: 'JSON that follows a schema.' },
)

const OtherFormat = openObject(
  { type: Type.Optional(otherType(['json_schema'])) },
  { description: 'Free text (`text`), any JSON (`json_object`), or a format that is not known here.' },
)

/** The form that the answer must have: `text`, `json_object`, `json_schema`; an unknown format passes unchecked. */
const ResponseFormat = Type.Union([JsonSchemaFormat, OtherFormat], {
  description: 'What the answer must look like: `text`, `json_object` or `json_schema`.',
})
export type ResponseFormat = Static<typeof ResponseFormat>

/**
 * The body of `POST /v1/chat/completions`, after `CreateChatCompletionRequest` of OpenAI's specification.
 *
 * Open: unknown fields, roles, types and values pass. The order of the fields is the order in which OpenAI reports
 * problems, where that is known.
 *
 * @example
 * const checkChatCompletion = compileRequestCheck(ChatCompletionRequest)
 */
export const ChatCompletionRequest = openObject(
  {
    model: Type.Optional(Type.String({ description: 'The model to use; absent: the one that is configured.' })),
    messages: Type.Array(Message, { minItems: 1, description: 'The conversation so far, oldest message first.' }),
    functions: nullable(
      Type.Array(FunctionDefinition, {
        description: 'Functions that the model may call; `tools` replaces it.',
        deprecated: true,
      }),
    ),
    function_call: nullable(FunctionCallChoice),
    tools: nullable(Type.Array(Tool, { description: 'The tools that the model may call.' })),
    tool_choice: nullable(ToolChoice),
    parallel_tool_calls: nullable(Type.Boolean({ description: 'Whether several tools may be called in one turn.' })),
    response_format: nullable(ResponseFormat),
    max_completion_tokens: nullable(
      Type.Integer({ description: 'How many tokens the answer may have at most, reasoning included.' }),
    ),
    max_tokens: nullable(
      Type.Integer({
        description: 'How many tokens the answer may have at most; `max_completion_tokens` replaces it.',
        deprecated: true,
      }),
    ),
    n: nullable(Type.Integer({ description: 'How many answers to generate, each of them paid for.' })),
    stop: Stop,
    temperature: Temperature,
    top_p: TopP,
    presence_penalty: PresencePenalty,
    frequency_penalty: FrequencyPenalty,
    logit_bias: LogitBias,
    logprobs: nullable(Type.Boolean({ description: 'Whether to tell how likely each token of the answer was.' })),
    top_logprobs: nullable(
      Type.Integer({ description: 'For how many of the likeliest tokens at each place; needs `logprobs`.' }),
    ),
    user: nullable(
      Type.String({
        description: 'Who the end user is; `safety_identifier` and `prompt_cache_key` replace it.',
        deprecated: true,
      }),
    ),
    seed: nullable(
      Type.Integer({ description: 'The same seed gives the same answer, as far as possible.', deprecated: true }),
    ),
    safety_identifier: nullable(
      Type.String({ description: 'A stable, hashed id of the end user, to trace abuse by.' }),
    ),
    prompt_cache_options: PromptCacheOptions,
    prompt_cache_key: nullable(Type.String({ description: 'Requests with the same key share cached prompts.' })),
    prompt_cache_retention: nullable({
      ...openEnum(['in_memory', '24h'], 'How long prompts stay cached; `prompt_cache_options` replaces it.'),
      deprecated: true,
    }),
    service_tier: nullable(
      openEnum(
        ['auto', 'default', 'fast', 'flex', 'priority'],
        'Which class of service processes the request; `scale` is one more.',
      ),
    ),
    stream: nullable(Type.Boolean({ description: 'Whether the answer comes as server-sent events, bit by bit.' })),
    stream_options: StreamOptions,
    store: nullable(Type.Boolean({ description: 'Whether OpenAI keeps the completion for later use.' })),
    metadata: Metadata,
    prediction: Prediction,
    moderation: Moderation,
    reasoning_effort: nullable(
      openEnum(
        ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'],
        'How hard a reasoning model thinks before it answers.',
      ),
    ),
    verbosity: nullable(openEnum(['low', 'medium', 'high'], 'How wordy the answer is.')),
    modalities: nullable(
      Type.Array(Type.String(), { description: 'What the answer consists of: `text`, `audio` or both.' }),
    ),
    audio: AudioOutput,
    web_search_options: WebSearchOptions,
  },
  { description: 'A conversation to be continued by a model.' },
)
export type ChatCompletionRequest = Static<typeof ChatCompletionRequest>
