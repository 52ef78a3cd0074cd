import { KindGuard, type TSchema } from '@sinclair/typebox'
import { isJsonObject } from '../../formats/json/json.ts'
import { boolean } from '../scalar-kinds.ts'

/** The alternatives of a union, also of unions within it; any other schema alone. */
export function unionMembersOf(schema: TSchema): readonly TSchema[] {
  return KindGuard.IsUnion(schema) ? schema.anyOf.flatMap(unionMembersOf) : [schema]
}

/** Whether a value is of a schema's type, without a check of its content and bounds. */
export function isOfType(schema: TSchema, value: unknown): boolean {
  if (KindGuard.IsLiteral(schema)) return value === schema.const
  if (KindGuard.IsString(schema)) return typeof value === 'string'
  if (KindGuard.IsBoolean(schema)) return typeof value === 'boolean'
  if (KindGuard.IsInteger(schema)) return Number.isInteger(value)
  if (KindGuard.IsNumber(schema)) return Number.isFinite(value)
  if (KindGuard.IsArray(schema)) return Array.isArray(value)
  return isJsonObject(value)
}

/** Whether a number is within a schema's bounds. */
export function isWithin(schema: TSchema, value: number): boolean {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY, exclusiveMinimum } = schema
  return value >= minimum && value <= maximum && (exclusiveMinimum === undefined || value > exclusiveMinimum)
}

/**
 * A variable's text as the number or boolean that a schema wants; the text itself, where the schema wants neither or it reads as
 * neither.
 */
export function convertText(schema: TSchema, text: string): unknown {
  const members = unionMembersOf(schema)
  if (members.some((one) => isOfType(one, text))) return text
  const wantsNumber = members.some((one) => KindGuard.IsInteger(one) || KindGuard.IsNumber(one))
  if (wantsNumber && /^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  const wantsBoolean = members.some(
    (one) => KindGuard.IsBoolean(one) || (KindGuard.IsLiteral(one) && one.const === false),
  )
  const parsed = boolean.parse(text)
  return wantsBoolean && parsed.ok ? parsed.value : text
}
