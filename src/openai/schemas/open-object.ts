import {
  type SchemaOptions,
  type TNull,
  type TObject,
  type TOptional,
  type TProperties,
  type TSchema,
  type TString,
  type TUnion,
  type TUnsafe,
  Type,
} from '@sinclair/typebox'

/** An object with some known fields, in which every other field passes unchecked. */
export function openObject<T extends TProperties>(properties: T, options: SchemaOptions = {}): TObject<T> {
  return Type.Object(properties, { ...options, additionalProperties: true })
}

/** An object of which only that it is one is checked: a JSON Schema, for example. */
export function anyObject(description: string): TUnsafe<Record<string, unknown>> {
  return Type.Unsafe<Record<string, unknown>>(openObject({}, { description }))
}

/**
 * A field that may be absent or null.
 *
 * Every field that OpenAI's specification does not require is one, also where it does not name null: the API itself
 * takes null in more places than are written down (`tool_calls` of a message, for one), and clients send it.
 */
export function nullable<T extends TSchema>(schema: T): TOptional<TUnion<[T, TNull]>> {
  const { description, deprecated } = schema
  return Type.Optional(
    Type.Union([schema, Type.Null()], {
      ...(description === undefined ? {} : { description }),
      ...(deprecated === undefined ? {} : { deprecated }),
    }),
  )
}

/**
 * A string with known values, none of which is enforced, since a new one must pass.
 *
 * The values stand in `examples`, from where the documentation and the wording of a type error take them.
 */
export function openEnum(values: readonly string[], description: string): TString {
  return Type.String({ description, examples: [...values] })
}

/** The `type` of an object that is none of the known shapes: any string but theirs, so that new types pass. */
export function otherType(known: readonly string[]): TString {
  return Type.String({
    description: `A type other than ${known.join(', ')}: passed on unchecked.`,
    pattern: `^(?!(?:${known.join('|')})$)`,
    examples: [...known],
  })
}
