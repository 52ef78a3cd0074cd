/** A JSON Schema, or a part of one. */
type Schema = Readonly<Record<string, unknown>>

/** Whether a value is valid against a JSON Schema, as far as that uses the keywords that ours does; throws for any other. */
export function isValid(root: Schema, value: unknown, schema: Schema = root): boolean {
  return Object.entries(schema).every(([keyword, expected]) => {
    const check = KEYWORDS[keyword]
    if (check === undefined) throw new Error(`The keyword ${keyword} is not known`)
    return check(expected, value, (part, at) => isValid(root, at, part as Schema), root, schema)
  })
}

type Validate = (schema: unknown, value: unknown) => boolean
type Keyword = (expected: unknown, value: unknown, validate: Validate, root: Schema, schema: Schema) => boolean

const ANNOTATION: Keyword = () => true

const KEYWORDS: Readonly<Record<string, Keyword>> = {
  $schema: ANNOTATION,
  $id: ANNOTATION,
  title: ANNOTATION,
  description: ANNOTATION,
  default: ANNOTATION,
  examples: ANNOTATION,
  definitions: ANNOTATION,
  $ref: (expected, value, validate, root) => {
    const name = String(expected).replace('#/definitions/', '')
    return validate((root['definitions'] as Schema)[name], value)
  },
  type: (expected, value) => typesOf(value).includes(String(expected)),
  const: (expected, value) => value === expected,
  enum: (expected, value) => (expected as unknown[]).includes(value),
  anyOf: (expected, value, validate) => (expected as unknown[]).some((one) => validate(one, value)),
  properties: (expected, value, validate) =>
    Object.entries(expected as Schema).every(([key, one]) => !has(value, key) || validate(one, value[key])),
  required: (expected, value) => !isRecord(value) || (expected as string[]).every((key) => has(value, key)),
  additionalProperties: (expected, value, validate, _root, schema) =>
    !isRecord(value) ||
    Object.entries(value).every(
      ([key, item]) => has(schema['properties'], key) || (expected !== false && validate(expected, item)),
    ),
  minProperties: (expected, value) => !isRecord(value) || Object.keys(value).length >= Number(expected),
  items: (expected, value, validate) => !Array.isArray(value) || value.every((item) => validate(expected, item)),
  minItems: (expected, value) => !Array.isArray(value) || value.length >= Number(expected),
  minLength: (expected, value) => typeof value !== 'string' || value.length >= Number(expected),
  pattern: (expected, value) => typeof value !== 'string' || new RegExp(String(expected)).test(value),
  minimum: (expected, value) => typeof value !== 'number' || value >= Number(expected),
  maximum: (expected, value) => typeof value !== 'number' || value <= Number(expected),
  exclusiveMinimum: (expected, value) => typeof value !== 'number' || value > Number(expected),
}

function typesOf(value: unknown): readonly string[] {
  if (value === null) return ['null']
  if (Array.isArray(value)) return ['array']
  if (typeof value === 'number') return Number.isInteger(value) ? ['integer', 'number'] : ['number']
  return [typeof value]
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function has<K extends string>(value: unknown, key: K): value is Readonly<Record<K, unknown>> {
  return isRecord(value) && Object.hasOwn(value, key)
}
