import { KindGuard, type Static, type TObject, type TSchema } from '@sinclair/typebox'
import { checkFields } from './check-fields.ts'

/** A name of a query's parameter: `limit`, `models[]`, `models[0]`, `effective_at[gt]`. */
const NAME = /^([^[\]]+)(?:\[([^[\]]*)\])?$/

/**
 * Reads a query as its shape says: numbers and booleans from their text, lists from repeated names with or without brackets, as the SDKs
 * write them. An empty text is as good as none. Throws `invalid_parameter`.
 *
 * @example
 * const { limit } = readQuery(PAGE, '/v1/organization/projects?limit=5')
 */
export function readQuery<T extends TObject>(shape: T, target: string): Static<T> {
  // Without a prototype, whatever a caller names: `__proto__` is a name like any other.
  const found: Record<string, unknown> = Object.create(null)
  const start = target.indexOf('?')
  for (const [written, text] of new URLSearchParams(start === -1 ? '' : target.slice(start))) {
    if (text === '') continue
    const [, name = written, part] = NAME.exec(written) ?? []
    const schema = Object.hasOwn(shape.properties, name) ? innerOf(shape.properties[name]) : undefined
    if (schema !== undefined && KindGuard.IsArray(schema)) {
      const before = found[name]
      found[name] = [...(Array.isArray(before) ? before : []), read(innerOf(schema.items), text)]
    } else if (schema !== undefined && KindGuard.IsObject(schema) && part !== undefined) {
      const before = found[name]
      const field = innerOf(schema.properties[part])
      found[name] = { ...(typeof before === 'object' ? before : {}), [part]: read(field, text) }
    } else found[part === undefined ? name : written] = read(schema, text)
  }
  return checkFields(shape, found)
}

/** A schema without the null that it may allow. */
function innerOf(schema: TSchema | undefined): TSchema | undefined {
  if (schema === undefined || !KindGuard.IsUnion(schema)) return schema
  const [inner, ...others] = schema.anyOf.filter((one) => !KindGuard.IsNull(one))
  return others.length === 0 ? inner : schema
}

function read(schema: TSchema | undefined, text: string): unknown {
  if (schema === undefined) return text
  if ((KindGuard.IsInteger(schema) || KindGuard.IsNumber(schema)) && /^-?\d{1,15}(?:\.\d+)?$/.test(text))
    return Number(text)
  if (KindGuard.IsBoolean(schema) && (text === 'true' || text === 'false')) return text === 'true'
  return text
}
