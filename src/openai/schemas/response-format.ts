import { type Static, Type } from '@sinclair/typebox'
import { anyObject, nullable, openObject, otherType } from './open-object.ts'

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

/** What the answer must look like: `text`, `json_object`, `json_schema`; an unknown format passes unchecked. */
export const ResponseFormat = Type.Union([JsonSchemaFormat, OtherFormat], {
  description: 'What the answer must look like: `text`, `json_object` or `json_schema`.',
})
export type ResponseFormat = Static<typeof ResponseFormat>
