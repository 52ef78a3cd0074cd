import { type Static, Type } from '@sinclair/typebox'
import { nullable, openObject, otherType } from './open-object.ts'

const PromptCacheBreakpoint = nullable(
  openObject(
    {
      mode: Type.Optional(Type.String({ description: 'How the breakpoint works; `explicit` is the only mode.' })),
      ttl: nullable(Type.String({ description: 'How long, at least, the prefix is kept, such as `30m`.' })),
    },
    { description: 'Marks this part as the end of a prompt prefix worth caching.' },
  ),
)

/** A part of a message that is plain text. */
export const TextPart = openObject(
  {
    type: Type.Literal('text'),
    text: Type.Optional(Type.String({ description: 'The text itself.' })),
    prompt_cache_breakpoint: PromptCacheBreakpoint,
  },
  { description: 'Text.' },
)

const ImagePart = openObject(
  {
    type: Type.Literal('image_url'),
    image_url: Type.Optional(
      openObject(
        {
          url: Type.Optional(Type.String({ description: 'An http(s) or data URL of the image.' })),
          detail: nullable(Type.String({ description: 'How closely to look: `auto`, `low`, `high` or `original`.' })),
        },
        { description: 'Where the image is and how closely to look at it.' },
      ),
    ),
    prompt_cache_breakpoint: PromptCacheBreakpoint,
  },
  { description: 'An image.' },
)

const AudioPart = openObject(
  {
    type: Type.Literal('input_audio'),
    input_audio: Type.Optional(
      openObject(
        {
          data: Type.Optional(Type.String({ description: 'The recording, in base64.' })),
          format: Type.Optional(Type.String({ description: 'Its encoding, such as `wav` or `mp3`.' })),
        },
        { description: 'A recording and its encoding.' },
      ),
    ),
    prompt_cache_breakpoint: PromptCacheBreakpoint,
  },
  { description: 'Recorded speech or sound.' },
)

const FilePart = openObject(
  {
    type: Type.Literal('file'),
    file: Type.Optional(
      openObject(
        {
          filename: nullable(Type.String({ description: 'The name that the model sees.' })),
          file_data: nullable(Type.String({ description: 'The whole file, in base64.' })),
          file_id: nullable(Type.String({ description: 'The id of a file uploaded before.' })),
        },
        { description: 'A file, given inline or by its id.' },
      ),
    ),
    prompt_cache_breakpoint: PromptCacheBreakpoint,
  },
  { description: 'A document.' },
)

const RefusalPart = openObject(
  {
    type: Type.Literal('refusal'),
    refusal: Type.Optional(Type.String({ description: 'What the model said when it refused.' })),
  },
  { description: 'A refusal of the model, in an assistant message.' },
)

const OtherPart = openObject(
  { type: Type.Optional(otherType(['text', 'image_url', 'input_audio', 'file', 'refusal'])) },
  { description: 'A kind of part that is not known here.' },
)

/** One part of a message's content; a part of an unknown type passes unchecked. */
export const ContentPart = Type.Union([TextPart, ImagePart, AudioPart, FilePart, RefusalPart, OtherPart])
export type ContentPart = Static<typeof ContentPart>

const OtherTextPart = openObject({ type: Type.Optional(otherType(['text'])) })

/** A text, whole or in parts: the content of a prediction. */
export const TextContent = Type.Union([Type.String(), Type.Array(Type.Union([TextPart, OtherTextPart]))], {
  description: 'A text, whole or in parts.',
})

/** The content of a message: a text, or parts of several kinds. */
export const MessageContent = Type.Union([Type.String(), Type.Array(ContentPart)], {
  description: 'What the message says: a text, or parts (text, image_url, input_audio, file, refusal).',
})
