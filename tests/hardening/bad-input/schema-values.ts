import fc from 'fast-check'
import type { JsonSchema } from '../../../src/openai/openapi/json-schema.ts'

/** Of so many places in a value one is filled with something else than the schema says. */
const WRONG_ONE_IN = 9

const WRONG: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -1,
    1e308,
    -1e-300,
    2 ** 53,
    0.5,
    '',
    [],
    {},
    [null],
    { a: null },
    '\u0000',
    '\ud800',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.anything({ withNullPrototype: false, maxDepth: 3 }).filter((value) => JSON.stringify(value) !== undefined),
)

/** Makes values as a schema describes them, each of whose places may be wrong. */
export function valuesOf(schema: JsonSchema, all: Readonly<Record<string, JsonSchema>>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: WRONG_ONE_IN - 1, arbitrary: rightOf(schema, all) }, { weight: 1, arbitrary: WRONG })
}

function rightOf(schema: JsonSchema, all: Readonly<Record<string, JsonSchema>>): fc.Arbitrary<unknown> {
  const { $ref, anyOf, type, items } = schema
  if ($ref !== undefined) return rightOf(all[$ref.split('/').at(-1) ?? ''] ?? {}, all)
  if (anyOf !== undefined) return fc.oneof(...anyOf.map((one) => rightOf(one, all)))
  if ('const' in schema) return fc.constant(schema['const'])
  switch (type) {
    case 'object':
      return objectsOf(schema, all)
    case 'array':
      return fc.array(valuesOf((items as JsonSchema | undefined) ?? {}, all), { maxLength: 3 })
    case 'string':
      return fc.oneof(fc.string({ maxLength: 30 }), fc.constantFrom('user', 'auto', 'gpt-5', 'function', '模型'))
    case 'integer':
      return fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer())
    case 'number':
      return fc.double({ min: -10, max: 10, noNaN: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    default:
      return WRONG
  }
}

/** Names that are asked for are nearly always there, others now and then, and some that no schema has. */
function objectsOf(schema: JsonSchema, all: Readonly<Record<string, JsonSchema>>): fc.Arbitrary<unknown> {
  const properties = Object.entries((schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>)
  const required = new Set((schema.required ?? []) as readonly string[])
  const members = properties.map(([name, one]) =>
    fc
      .tuple(fc.nat(99), valuesOf(one, all))
      .map(([chance, value]) => (chance < (required.has(name) ? 96 : 12) ? [[name, value] as const] : [])),
  )
  const strange = fc.array(
    fc.tuple(fc.constantFrom('x', '', '__proto__', 'constructor', 'Model', 'model ', '\u0000'), WRONG),
    {
      maxLength: 1,
    },
  )
  return fc.tuple(fc.tuple(...members), strange).map(([own, other]) => Object.fromEntries([...own.flat(), ...other]))
}
