import type { JsonSchema } from '../../openai/openapi/json-schema.ts'
import { type Html, html, NOTHING, prose } from './html.ts'
import { type Row, renderTable } from './table.ts'

/** Renders the fields of an object as a table; the fields of nested objects unfold. */
export function renderSchemaTable(caption: string, schema: JsonSchema): Html {
  const required = new Set(schema.required)
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) => rowOf(name, field, required.has(name)))
  return renderTable({ caption, style: 'fields', columns: ['Name', 'Type', 'Description'], rows })
}

function rowOf(name: string, field: JsonSchema, isRequired: boolean): Row {
  const isLiteral = field.const !== undefined
  const badges = [
    isRequired && !isLiteral ? html` <span class="badge must">required</span>` : NOTHING,
    field.deprecated === true ? html` <span class="badge">deprecated</span>` : NOTHING,
  ]
  const description = isLiteral ? `Always \`${String(field.const)}\`.` : (field.description ?? '')
  return {
    cells: [
      html`<code>${name}</code>${badges}`,
      html`<span class="type">${describeType(field)}</span>`,
      html`${prose(description)}${valuesOf(field)}`,
    ],
    below: renderNested(name, field),
  }
}

function valuesOf(field: JsonSchema): Html {
  const values = knownValues(field)
  if (values.length === 0) return NOTHING
  return html` <span class="values">${values.map((value) => html`<code>${value}</code> `)}</span>`
}

function renderNested(name: string, field: JsonSchema): Html | undefined {
  const shapes = objectsWithin(field)
  if (shapes.length === 0) return undefined
  const [only] = shapes
  const summary =
    shapes.length === 1 && only !== undefined
      ? html`Fields of <code>${name}</code>: ${Object.keys(only.properties ?? {}).join(', ')}`
      : html`Kinds of <code>${name}</code>: ${shapes.map(kindOf).join(', ')}`
  return html`<details><summary>${summary}</summary>
<div class="nested">${shapes.map((shape) => renderShape(name, shape, shapes.length > 1))}</div></details>`
}

function renderShape(name: string, shape: JsonSchema, isOneOfSeveral: boolean): Html {
  const kind = kindOf(shape)
  const heading = isOneOfSeveral ? html`<p class="kind"><b>${kind}</b> ${prose(shape.description ?? '')}</p>` : NOTHING
  // An unknown kind has only its type to show.
  if (kind === OTHER) return heading
  return html`${heading}${renderSchemaTable(isOneOfSeveral ? `Fields of ${name}, ${kind}` : `Fields of ${name}`, shape)}`
}

const OTHER = 'other'

/** Names a shape among its alternatives: by the literal of its `type`, or by its fields. */
function kindOf({ properties = {} }: JsonSchema): string {
  const type = properties['type']
  if (type?.const !== undefined) return String(type.const)
  return type?.pattern === undefined ? Object.keys(properties).join(', ') : OTHER
}

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
