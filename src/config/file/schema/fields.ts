import {
  OptionalKind,
  type SchemaOptions,
  type Static,
  type TArray,
  type TObject,
  type TOptional,
  type TProperties,
  type TSchema,
  type TString,
  type TUnion,
  type TUnsafe,
  Type,
} from '@sinclair/typebox'
import type { Json } from '../../../formats/json/json.ts'
import { TIMER_MS_MAX } from '../../scalar-kinds.ts'

/** The values that some fields of the file may have, once it has been checked. */
export type FieldValues<T extends TProperties> = Static<TObject<T>>

/** Marks a text that may be a secret: no problem shows it. */
export const HIDDEN = { 'x-secret': true }

/** An object with these keys and no others. `title` names it in the reference. */
export function closed<T extends TProperties>(title: string, properties: T): TObject<T> {
  return Type.Object(properties, { title, additionalProperties: false })
}

/** A key that may be left out, with its meaning in one sentence, and its default or examples. */
export function optional<T extends TSchema>(schema: T, description: string, options: SchemaOptions = {}): TOptional<T> {
  return { ...schema, description, ...options, [OptionalKind]: 'Optional' }
}

/** A key that has to be there. */
export function required<T extends TSchema>(schema: T, description: string, options: SchemaOptions = {}): T {
  return { ...schema, description, ...options }
}

/** One of some words. */
export function words<const T extends string>(values: Iterable<T>): TUnsafe<T> {
  return Type.Unsafe<T>(Type.Union([...values].map((value) => Type.Literal(value))))
}

/** A length of time: milliseconds, or a text with a unit; milliseconds once it is checked (`x-duration`). */
export function duration(minimumMs: 0 | 1 = 0): TUnsafe<number> {
  return Type.Unsafe<number>(
    Type.Union(
      [
        Type.Integer({ minimum: minimumMs, maximum: TIMER_MS_MAX }),
        Type.String({ pattern: '^\\d+\\s*([mM]?[sS]|[mMhH])?$' }),
      ],
      { 'x-duration': minimumMs },
    ),
  )
}

/** A duration as the file has it: `250ms`, `8s`, `720h`. */
export function writeDuration(ms: number): string {
  if (ms > 0 && ms % 3_600_000 === 0) return `${ms / 3_600_000}h`
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`
}

/** A text that is not empty. */
export function text(): TString {
  return Type.String({ minLength: 1 })
}

/** At least one text. */
export function texts(): TArray<TString> {
  return Type.Array(text(), { minItems: 1 })
}

/** A text, or several. */
export function textOrTexts(): TUnion<[TString, TArray<TString>]> {
  return Type.Union([text(), texts()])
}

/** A map from names of one's own to values of one kind. */
export function mapOf<T extends TSchema>(
  values: T,
  options: SchemaOptions = {},
): TUnsafe<{ readonly [name: string]: T['static'] }> {
  return Type.Unsafe(Type.Record(Type.String(), values, options))
}

/** Any value of JSON. */
export function anyJson(): TUnsafe<Json> {
  return Type.Unsafe<Json>(Type.Unknown())
}

/** These keys, or `false` for none of it. */
export function orFalse<T extends TSchema>(schema: T): TUnsafe<false | T['static']> {
  return Type.Unsafe<false | T['static']>(Type.Union([Type.Literal(false), schema]))
}

/** A variable as the file has it: `${NAME}`. */
export function writeVariable(name: string): string {
  return `\${${name}}`
}
