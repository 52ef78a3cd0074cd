import type { JsonSchema } from '../../openai/openapi/json-schema.ts'

/** Describes the values of a schema for people: `string`, `integer`, `string or array of strings`, `"text"`, … */
export function describeType(schema: JsonSchema): string {
  return joinWords(branchesOf(schema).map(wordOf))
}

/** Lists the known values of a field; others pass too. */
export function knownValues(schema: JsonSchema): readonly string[] {
  // Beside a pattern, the examples are the values that it excludes.
  return branchesOf(schema).flatMap(({ pattern, examples }) =>
    (pattern === undefined ? (examples ?? []) : []).map(String),
  )
}

/** Lists the objects inside a field whose own fields are worth showing: its alternatives and its items. */
export function objectsWithin(schema: JsonSchema): readonly JsonSchema[] {
  return branchesOf(schema).flatMap((branch) => {
    if (branch.items !== undefined) return objectsWithin(branch.items)
    return Object.keys(branch.properties ?? {}).length > 0 ? [branch] : []
  })
}

/** Lists the schema's alternatives, without null, which nearly every field takes. */
function branchesOf(schema: JsonSchema): readonly JsonSchema[] {
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap(branchesOf)
  return schema.type === 'null' ? [] : [schema]
}

function wordOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.items !== undefined) return `array of ${pluralOf(schema.items)}`
  const [values] = Object.values(schema.patternProperties ?? {})
  if (values !== undefined) return `object of ${pluralOf(values)}`
  return typeof schema.type === 'string' ? schema.type : 'anything'
}

function pluralOf(schema: JsonSchema): string {
  return joinWords(branchesOf(schema).map((branch) => wordOf(branch).replace(/^\w+/, '$&s')))
}

function joinWords(words: readonly string[]): string {
  return [...new Set(words)].join(' or ')
}
