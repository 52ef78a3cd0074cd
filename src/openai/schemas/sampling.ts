import { Type } from '@sinclair/typebox'
import { nullable, openObject } from './open-object.ts'

/** `logit_bias`; the specification says integers, but whether a fraction will do is the upstream's to judge. */
export const LogitBias = nullable(
  Type.Record(Type.String(), Type.Number(), {
    description: 'Token id → how much more or less likely that token becomes, from -100 to 100.',
    additionalProperties: true,
  }),
)

/** `stop`, of both kinds of completion. */
export const Stop = nullable(
  Type.Union([Type.String(), Type.Array(Type.String())], {
    description: 'Up to four texts at which the answer ends; they are not part of it.',
  }),
)

/** `stream_options`, of both kinds of completion. */
export const StreamOptions = nullable(
  openObject(
    {
      include_usage: nullable(Type.Boolean({ description: 'Whether a last chunk tells the tokens used.' })),
      include_obfuscation: nullable(
        Type.Boolean({ description: 'Whether chunks are padded, so that their size tells nothing.' }),
      ),
    },
    { description: 'How to stream; only together with `stream`.' },
  ),
)

/** `temperature`, of both kinds of completion. */
export const Temperature = nullable(
  Type.Number({ description: 'From 0 to 2: higher is more random, lower more focused.' }),
)

/** `top_p`, of both kinds of completion. */
export const TopP = nullable(
  Type.Number({ description: 'From 0 to 1: only the most likely tokens that make up this share are considered.' }),
)

/** `presence_penalty`, of both kinds of completion. */
export const PresencePenalty = nullable(
  Type.Number({ description: 'From -2 to 2: positive values favour words that have not been used yet.' }),
)

/** `frequency_penalty`, of both kinds of completion. */
export const FrequencyPenalty = nullable(
  Type.Number({ description: 'From -2 to 2: positive values work against repeating the same words.' }),
)
