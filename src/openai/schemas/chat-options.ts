import { Type } from '@sinclair/typebox'
import { TextContent } from './content-part.ts'
import { nullable, openEnum, openObject } from './open-object.ts'

/** `audio`: how an answer is spoken. */
export const AudioOutput = nullable(
  openObject(
    {
      voice: Type.Optional(
        Type.Union(
          [
            Type.String(),
            openObject({ id: Type.Optional(Type.String({ description: 'The id of a voice of your own.' })) }),
          ],
          { description: 'A built-in voice such as `alloy`, or a voice of your own.' },
        ),
      ),
      format: Type.Optional(
        openEnum(['wav', 'aac', 'mp3', 'flac', 'opus', 'pcm16'], 'The encoding of the spoken answer.'),
      ),
    },
    { description: 'How the answer is spoken, where `modalities` asks for audio.' },
  ),
)

/** `metadata`: labels for a stored completion. */
export const Metadata = nullable(
  Type.Record(Type.String(), Type.String(), {
    description: 'Up to 16 labels, texts by name, kept with a stored completion.',
    additionalProperties: true,
    'x-noun': 'metadata object',
  }),
)

/** `prediction`: most of the answer, known beforehand. */
export const Prediction = nullable(
  openObject(
    {
      type: Type.Optional(Type.String({ description: 'The kind of prediction; `content` is the only one.' })),
      content: Type.Optional(TextContent),
    },
    { description: 'What most of the answer will be, so that it comes faster.' },
  ),
)

const policyOf = (what: string) =>
  nullable(
    openObject(
      { mode: Type.Optional(openEnum(['score', 'block'], 'Whether to rate only, or to block.')) },
      { description: `What is done about the ${what}.` },
    ),
  )

/** `moderation`: a check of prompt and answer along with the completion. */
export const Moderation = nullable(
  openObject(
    {
      model: Type.Optional(Type.String({ description: 'The moderation model, such as `omni-moderation-latest`.' })),
      policy: nullable(
        openObject(
          { input: policyOf('prompt'), output: policyOf('answer') },
          { description: 'What is done about what the check finds.' },
        ),
      ),
    },
    { description: 'Has prompt and answer checked by a moderation model.' },
  ),
)

/** `prompt_cache_options`: what of the prompt is cached, and for how long. */
export const PromptCacheOptions = nullable(
  openObject(
    {
      ttl: nullable(Type.String({ description: 'How long, at least, a cached prefix is kept, such as `30m`.' })),
      mode: nullable(openEnum(['implicit', 'explicit'], 'Whether breakpoints are set for you, or only by you.')),
    },
    { description: 'What of the prompt is cached, and for how long.' },
  ),
)

const place = (description: string) => nullable(Type.String({ description }))

/** `web_search_options`: how a search model searches. */
export const WebSearchOptions = nullable(
  openObject(
    {
      user_location: nullable(
        openObject(
          {
            type: Type.Optional(Type.String({ description: 'How the place is given; `approximate` is the only way.' })),
            approximate: Type.Optional(
              openObject(
                {
                  country: place('Two-letter country code (ISO 3166-1).'),
                  region: place('State or region.'),
                  city: place('Town or city.'),
                  timezone: place('IANA time zone, such as `Asia/Shanghai`.'),
                },
                { description: 'Roughly where the user is.' },
              ),
            ),
          },
          { description: 'Where the user is, for results from nearby.' },
        ),
      ),
      search_context_size: nullable(
        openEnum(['low', 'medium', 'high'], 'How much of what is found the model gets to read.'),
      ),
    },
    { description: 'How the web is searched for the answer.' },
  ),
)
