import { type Static, Type } from '@sinclair/typebox'
import { nullable, openObject } from './open-object.ts'
import { FrequencyPenalty, LogitBias, PresencePenalty, Stop, StreamOptions, Temperature, TopP } from './sampling.ts'

/**
 * The body of `POST /v1/completions`, after `CreateCompletionRequest` of OpenAI's specification.
 *
 * Open, like the body of a chat completion. `prompt` may be absent: the model then starts a new document.
 *
 * @example
 * const checkCompletion = compileRequestCheck(CompletionRequest)
 */
export const CompletionRequest = openObject(
  {
    model: Type.Optional(Type.String({ description: 'The model to use; absent: the one that is configured.' })),
    prompt: nullable(
      Type.Union(
        [Type.String(), Type.Array(Type.String()), Type.Array(Type.Integer()), Type.Array(Type.Array(Type.Integer()))],
        { description: 'What to continue: a text, several texts, the tokens of one, or the tokens of several.' },
      ),
    ),
    suffix: nullable(Type.String({ description: 'What comes after the text to be inserted.' })),
    max_tokens: nullable(Type.Integer({ description: 'How many tokens the completion may have at most.' })),
    n: nullable(Type.Integer({ description: 'How many completions to return for each prompt.' })),
    best_of: nullable(
      Type.Integer({ description: 'How many completions to generate, of which the likeliest are returned.' }),
    ),
    stop: Stop,
    temperature: Temperature,
    top_p: TopP,
    presence_penalty: PresencePenalty,
    frequency_penalty: FrequencyPenalty,
    logit_bias: LogitBias,
    logprobs: nullable(
      Type.Integer({ description: 'For how many of the likeliest tokens to tell the log probability.' }),
    ),
    echo: nullable(Type.Boolean({ description: 'Whether the prompt is repeated before the completion.' })),
    user: nullable(Type.String({ description: 'Who the end user is, to trace abuse by.' })),
    seed: nullable(Type.Integer({ description: 'The same seed gives the same completion, as far as possible.' })),
    stream: nullable(Type.Boolean({ description: 'Whether the completion comes as server-sent events, bit by bit.' })),
    stream_options: StreamOptions,
  },
  { description: 'A text to be completed by a model.' },
)
export type CompletionRequest = Static<typeof CompletionRequest>
