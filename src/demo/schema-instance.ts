import { isJsonObject, type JsonObject, type JsonValue, textOf } from './json-value.ts'

// Beyond these only what a schema requires is filled in, so that one that contains itself comes to an end.
const fullDepthMax = 8
const fullNodesMax = 400
const depthMax = 40
const nodesMax = 2000
const charactersMax = 10_000

const stringsByFormat: Readonly<Record<string, string>> = {
  'date-time': '2025-01-01T00:00:00Z',
  date: '2025-01-01',
  time: '00:00:00Z',
  duration: 'PT1S',
  email: 'simulated@example.com',
  hostname: 'simulated.example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/simulated',
  uuid: '00000000-0000-4000-8000-000000000000',
}

/**
 * A value that satisfies a JSON Schema of the kind that structured output and tools use, always the same one.
 *
 * Read are: `$ref` into the same document, `const`, `enum`, `default`, `anyOf`, `oneOf`, `allOf`, and for each type its
 * bounds. Not read: `pattern`, `not`, `if`, `patternProperties`, `uniqueItems`.
 */
export function schemaInstance(schema: JsonObject): JsonValue {
  let nodes = 0

  function build(given: JsonValue | undefined, depth: number): JsonValue {
    nodes += 1
    if (!isJsonObject(given) || depth > depthMax || nodes > nodesMax) return null
    const at = merged(resolved(given, schema), schema)
    const full = depth < fullDepthMax && nodes < fullNodesMax
    if (at['const'] !== undefined) return at['const']
    if (Array.isArray(at['enum']) && at['enum'][0] !== undefined) return at['enum'][0]
    if (at['default'] !== undefined) return at['default']
    const branches = at['anyOf'] ?? at['oneOf']
    if (Array.isArray(branches)) return build(full ? branches[0] : shortest(branches), depth + 1)
    switch (typeOf(at, full)) {
      case 'object':
        return buildObject(at, depth, full)
      case 'array':
        return buildArray(at, depth, full)
      case 'string':
        return stringFor(at)
      case 'integer':
        return numberFor(at, 1)
      case 'number':
        return numberFor(at, 0)
      case 'boolean':
        return true
      default:
        return null
    }
  }

  function buildObject(at: JsonObject, depth: number, full: boolean): JsonObject {
    const properties = isJsonObject(at['properties']) ? at['properties'] : {}
    const required = Array.isArray(at['required']) ? at['required'].filter((name) => typeof name === 'string') : []
    const names = new Set(full ? [...Object.keys(properties), ...required] : required)
    return Object.fromEntries([...names].map((name) => [name, build(properties[name] ?? {}, depth + 1)]))
  }

  function buildArray(at: JsonObject, depth: number, full: boolean): JsonValue[] {
    const first = Array.isArray(at['prefixItems']) ? at['prefixItems'] : []
    const wanted = Math.max(countOf(at['minItems'], full && at['maxItems'] !== 0 ? 1 : 0), first.length)
    const items: JsonValue[] = []
    while (items.length < wanted && nodes < nodesMax) {
      items.push(build(first[items.length] ?? at['items'] ?? {}, depth + 1))
    }
    return items
  }

  return build(schema, 0)
}

/** Follows `$ref` within the document; a reference that leads nowhere allows anything. */
function resolved(schema: JsonObject, root: JsonObject): JsonObject {
  let at = schema
  for (let steps = 0; typeof at['$ref'] === 'string' && steps < 20; steps += 1) {
    const path = at['$ref'].replace(/^#\/?/, '').split('/').filter(Boolean)
    let target: JsonValue | undefined = root
    for (const escaped of path) {
      const name = escaped.replaceAll('~1', '/').replaceAll('~0', '~')
      target = isJsonObject(target) && Object.hasOwn(target, name) ? target[name] : undefined
    }
    const { $ref: _followed, ...beside } = at
    at = isJsonObject(target) ? { ...target, ...beside } : beside
  }
  return at
}

/** Takes the parts of an `allOf` together into one schema. */
function merged(schema: JsonObject, root: JsonObject): JsonObject {
  const { allOf, ...rest } = schema
  if (!Array.isArray(allOf)) return schema
  const parts = [rest, ...allOf.filter(isJsonObject).map((part) => resolved(part, root))]
  return {
    // Keywords beside the allOf count most.
    ...Object.assign({}, ...parts.toReversed()),
    properties: Object.assign({}, ...parts.map((part) => part['properties'])),
    required: parts.flatMap((part) => (Array.isArray(part['required']) ? part['required'] : [])),
  }
}

function typeOf(schema: JsonObject, full: boolean): string {
  const { type } = schema
  if (Array.isArray(type)) return !full && type.includes('null') ? 'null' : textOf(type[0])
  if (typeof type === 'string') return type
  if (isJsonObject(schema['properties'])) return 'object'
  if (isJsonObject(schema['items'])) return 'array'
  return 'string'
}

/** The branch that ends soonest: null where it is offered, else one that does not refer to another schema. */
function shortest(branches: readonly JsonValue[]): JsonValue | undefined {
  const schemas = branches.filter(isJsonObject)
  return (
    schemas.find((branch) => branch['type'] === 'null') ??
    schemas.find((branch) => branch['$ref'] === undefined && branch['type'] !== 'object') ??
    schemas[0]
  )
}

function stringFor(schema: JsonObject): string {
  const text = stringsByFormat[textOf(schema['format'])] ?? 'simulated'
  const longest = Math.min(countOf(schema['maxLength'], charactersMax), charactersMax)
  return text.padEnd(Math.min(countOf(schema['minLength'], 0), charactersMax), '.').slice(0, longest)
}

function numberFor(schema: JsonObject, whole: 0 | 1): number {
  const bound = (name: string) => (typeof schema[name] === 'number' ? schema[name] : undefined)
  const step = bound('multipleOf') ?? whole
  const above = bound('exclusiveMinimum')
  const below = bound('exclusiveMaximum')
  const nudge = step || (above !== undefined && below !== undefined ? (below - above) / 2 : 0.5)
  const min = bound('minimum') ?? (above === undefined ? undefined : above + nudge)
  const max = bound('maximum') ?? (below === undefined ? undefined : below - nudge)
  const wanted = Math.max(Math.min(1, max ?? 1), min ?? Number.NEGATIVE_INFINITY)
  if (!step) return wanted
  const rounded = Math.ceil(wanted / step) * step
  return max !== undefined && rounded > max ? Math.floor(max / step) * step : rounded
}

function countOf(value: JsonValue | undefined, otherwise: number): number {
  return typeof value === 'number' && value >= 0 ? value : otherwise
}
