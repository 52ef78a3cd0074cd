import { KindGuard, type TSchema } from '@sinclair/typebox'

/** A JSON Schema, as plain data. */
export type EditorSchema = Readonly<Record<string, unknown>>

/** The name of the definition of a text with a variable in it. */
const VARIABLE = 'variable'

/** Keywords of our own, which no editor knows. */
const OWN = /^x-/

/**
 * The JSON Schema (draft 07, which all editors know) of a file as a person writes it: `${NAME}` may also stand in place of a
 * number, a word, true or false.
 */
export function editorSchema(schema: TSchema, id: string, title: string): EditorSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: id,
    ...written(schema),
    title,
    definitions: { [VARIABLE]: { type: 'string', pattern: '\\$\\{' } },
  }
}

function written(schema: TSchema): EditorSchema {
  if (KindGuard.IsUnknown(schema)) return plain(schema)
  if (KindGuard.IsObject(schema)) {
    const properties = Object.entries(schema.properties).map(([key, field]) => [key, written(field)] as const)
    return plain(schema, { properties: Object.fromEntries(properties) })
  }
  if (KindGuard.IsRecord(schema)) {
    const [values = schema]: TSchema[] = Object.values(schema.patternProperties)
    return plain(schema, { patternProperties: undefined, additionalProperties: written(values) })
  }
  if (KindGuard.IsArray(schema)) return plain(schema, { items: written(schema.items) })
  if (KindGuard.IsString(schema) && schema.pattern === undefined) return plain(schema)
  const alternatives = KindGuard.IsUnion(schema) ? schema.anyOf.flatMap(alternativesOf) : [bare(schema)]
  return plain(schema, {
    ...Object.fromEntries(Object.keys(bare(schema)).map((key) => [key, undefined])),
    anyOf: joinWords(alternatives),
  })
}

/** One alternative of a union; a text with a variable comes once, behind all of them. */
function alternativesOf(schema: TSchema): readonly EditorSchema[] {
  if (KindGuard.IsUnion(schema)) return schema.anyOf.flatMap(alternativesOf)
  return [KindGuard.IsObject(schema) || KindGuard.IsArray(schema) ? written(schema) : bare(schema)]
}

/** The keywords that decide what a schema accepts, without its description, default and examples. */
function bare(schema: TSchema): EditorSchema {
  return plain(schema, { description: undefined, default: undefined, examples: undefined })
}

/** Words as one list, and a variable wherever no text is free. */
function joinWords(alternatives: readonly EditorSchema[]): readonly EditorSchema[] {
  const words = alternatives.flatMap((one) => (typeof one['const'] === 'string' ? [one['const']] : []))
  const others = alternatives.filter((one) => typeof one['const'] !== 'string')
  const isFree = others.some((one) => one['type'] === 'string' && one['pattern'] === undefined)
  return [
    ...(words.length === 0 ? [] : [{ type: 'string', enum: words }]),
    ...others,
    ...(isFree ? [] : [{ $ref: `#/definitions/${VARIABLE}` }]),
  ]
}

/** A schema's own keywords with some others in their place; undefined takes one out. */
function plain(schema: TSchema, others: EditorSchema = {}): EditorSchema {
  const entries = Object.entries({ ...schema, ...others })
  return Object.fromEntries(entries.filter(([key, value]) => value !== undefined && !OWN.test(key)))
}
