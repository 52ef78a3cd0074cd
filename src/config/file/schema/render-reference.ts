import { KindGuard, type TObject, type TSchema } from '@sinclair/typebox'

/** An object of the file, and where it can stand. */
interface Section {
  readonly schema: TObject
  readonly paths: string[]
}

/**
 * The reference of a file that is checked against a schema, as Markdown: a table for each object, with key, type, default
 * and meaning.
 */
export function renderReference(schema: TObject): string {
  const sections = new Map<string, Section>()
  collect(schema, '', sections)
  return [...sections.values()].map(renderSection).join('\n')
}

/** Finds all objects; one that can stand in several places has one table. */
function collect(schema: TSchema, path: string, sections: Map<string, Section>): void {
  if (KindGuard.IsUnion(schema)) for (const member of schema.anyOf) collect(member, path, sections)
  if (KindGuard.IsArray(schema)) collect(schema.items, `${path}[]`, sections)
  if (KindGuard.IsRecord(schema)) {
    for (const values of Object.values(schema.patternProperties)) collect(values, `${path}.<name>`, sections)
  }
  if (!KindGuard.IsObject(schema)) return
  const known = sections.get(titleOf(schema))
  if (known !== undefined) {
    known.paths.push(path)
    return
  }
  sections.set(titleOf(schema), { schema, paths: [path] })
  for (const [key, field] of Object.entries(schema.properties)) {
    collect(field, path === '' ? key : `${path}.${key}`, sections)
  }
}

function renderSection({ schema, paths }: Section): string {
  const [first = ''] = paths
  const heading = first === '' ? 'Top level' : paths.map((path) => `\`${path}\``).join(', ')
  const rows = Object.entries(schema.properties).map(([key, field]) => [
    `\`${key}\``,
    typeOf(field),
    schema.required?.includes(key) === true ? 'required' : defaultOf(field),
    meaningOf(field),
  ])
  const head = ['Key', 'Type', 'Default', 'Meaning']
  const table = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(escapeCell).join(' | ')} |\n`)
  return `### ${heading}\n\n${table.join('')}`
}

function typeOf(schema: TSchema): string {
  if (schema['x-duration'] !== undefined) return 'duration'
  if (KindGuard.IsUnion(schema)) return [...new Set(schema.anyOf.map(typeOf))].join(' or ')
  if (KindGuard.IsLiteral(schema)) return `\`${schema.const}\``
  if (KindGuard.IsArray(schema)) return `list of ${typeOf(schema.items)}`
  if (KindGuard.IsRecord(schema)) {
    const [values = schema]: TSchema[] = Object.values(schema.patternProperties)
    return `map of ${typeOf(values)}`
  }
  if (KindGuard.IsInteger(schema)) return `integer${rangeOf(schema)}`
  if (KindGuard.IsNumber(schema)) return `number${rangeOf(schema)}`
  if (KindGuard.IsBoolean(schema)) return 'boolean'
  if (KindGuard.IsString(schema)) return 'text'
  return KindGuard.IsObject(schema) ? titleOf(schema) : 'any'
}

function rangeOf({ minimum, maximum, exclusiveMinimum }: TSchema): string {
  if (exclusiveMinimum !== undefined) return ` > ${exclusiveMinimum}`
  if (minimum === undefined) return ''
  return maximum === undefined || maximum > 599 ? ` ≥ ${minimum}` : ` ${minimum}–${maximum}`
}

function defaultOf(schema: TSchema): string {
  const note: unknown = schema['x-default']
  if (typeof note === 'string') return note
  if (schema.default !== undefined) return `\`${write(schema.default)}\``
  const isOfSection = [schema, ...(KindGuard.IsUnion(schema) ? schema.anyOf : [])].some(KindGuard.IsObject)
  return isOfSection ? 'see there' : 'none'
}

function meaningOf(schema: TSchema): string {
  const [example]: unknown[] = Array.isArray(schema.examples) ? schema.examples : []
  const such = example === undefined ? '' : ` E.g. \`${write(example)}\``
  return `${schema.description ?? ''}${such}`
}

/** A value as one would write it behind a key. */
function write(value: unknown): string {
  if (typeof value === 'string') return value
  return Array.isArray(value) && value.every((item) => typeof item !== 'object')
    ? `[${value.join(', ')}]`
    : JSON.stringify(value)
}

function titleOf(schema: TObject): string {
  return schema.title ?? ''
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|')
}
