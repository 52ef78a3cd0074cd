import type { JsonSchema } from '../../openai/openapi/json-schema.ts'
import { type Html, html, NOTHING, prose } from './html.ts'
import { describeType, knownValues, objectsWithin } from './schema-words.ts'
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
