import { describe, expect, test } from 'bun:test'
import { KindGuard, type TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { readDocument } from '../../../src/config/file/read-document.ts'
import { ConfigFile, jsonSchema, renderFileReference } from '../../../src/config/file-schema.ts'
import { STATEFUL_RESOURCES } from '../../../src/openai/resources.ts'
import { EXAMPLE } from './example.ts'
import { changeAt, placesOf } from './file/mutate.ts'
import { isValid } from './file/validate-json-schema.ts'

const { value: example } = readDocument(EXAMPLE, (text) => ({ ok: true, value: { text, hasVariable: false } }))

/** All fields of all objects, with their paths. */
function fieldsOf(schema: TSchema, path: string): readonly [path: string, field: TSchema][] {
  if (KindGuard.IsUnion(schema)) return schema.anyOf.flatMap((member) => fieldsOf(member, path))
  if (KindGuard.IsArray(schema)) return fieldsOf(schema.items, `${path}[]`)
  if (KindGuard.IsRecord(schema)) {
    return Object.values(schema.patternProperties).flatMap((values) => fieldsOf(values, `${path}.*`))
  }
  if (!KindGuard.IsObject(schema)) return []
  return Object.entries(schema.properties).flatMap(([key, field]) => [
    [`${path}.${key}`, field] as const,
    ...fieldsOf(field, `${path}.${key}`),
  ])
}

describe('the schema of the file', () => {
  const fields = fieldsOf(ConfigFile, '')

  test('describes each field in one sentence', () => {
    expect(fields.length).toBeGreaterThan(80)
    for (const [path, { description }] of fields) {
      expect(`${path}: ${description}`).toMatch(/^\S+: [A-Z][^\n|]*[^.]\.$/)
    }
  })

  test('has a default or an example at each field that is no object', () => {
    for (const [path, field] of fields) {
      const isOfSection = [field, ...(KindGuard.IsUnion(field) ? field.anyOf : [])].some(KindGuard.IsObject)
      const isSaid = 'default' in field || 'examples' in field || 'x-default' in field
      expect([path, isOfSection || isSaid]).toEqual([path, true])
    }
  })

  test('has defaults and examples that are good themselves', () => {
    for (const [path, field] of fields) {
      const values: unknown[] = [...(field.examples ?? []), ...('default' in field ? [field.default] : [])]
      const check = TypeCompiler.Compile(field)
      for (const value of values) expect([path, value, check.Check(value)]).toEqual([path, value, true])
    }
  })

  test('knows every stateful resource', () => {
    expect(fields.flatMap(([path]) => /^\.pins\.(.+)/.exec(path)?.[1] ?? [])).toEqual([...STATEFUL_RESOURCES])
  })

  test('accepts the file that says everything, and refuses each of its keys misspelt', () => {
    const check = TypeCompiler.Compile(ConfigFile)
    expect(check.Check(example)).toBe(true)
    const keys = placesOf(example).filter((path) => !isOfOwnName(path))
    for (const path of keys) {
      const wrong = changeAt(example, path.slice(0, -1), (item) => ({ ...(item as object), [`${path.at(-1)}x`]: 1 }))
      expect([path, check.Check(wrong)]).toEqual([path, false])
    }
    expect(keys.length).toBeGreaterThan(80)
  })
})

/** Whether the last step of a path is the position in a list, or a name that the file's author has chosen. */
function isOfOwnName(path: readonly string[]): boolean {
  const text = path.join('.')
  return (
    /(^|\.)\d+$/.test(text) ||
    /^(upstreams|models)\.[^.]+$/.test(text) ||
    /\.(headers|query|header|defaults|overrides|clamp|rename|values)\.[^.]*(\.type|\..*)?$/.test(text)
  )
}

describe('the JSON Schema for editors', () => {
  const schema = jsonSchema()

  test('says what it is', () => {
    expect(schema).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
      $id: 'urn:nexcode:configuration-file',
      title: 'NexCode configuration file',
      type: 'object',
      additionalProperties: false,
    })
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema)
    expect(JSON.stringify(schema)).not.toMatch(/"x-(default|duration|secret)"/)
  })

  test('accepts the file that says everything, and refuses a misspelt key and a wrong word', () => {
    expect(isValid(schema, example)).toBe(true)
    expect(isValid(schema, { upstreams: { a: { api_kee: 'x' } } })).toBe(false)
    expect(isValid(schema, { models: { m: { targets: [{ upstream: 'a' }], strategy: 'best' } } })).toBe(false)
  })

  test('accepts a variable wherever a number, a word, a length of time or false may stand', () => {
    const variable = `$${'{X}'}`
    const file = {
      debug_headers: variable,
      unknown_models: variable,
      retry: { attempts: variable, on: [variable], base: variable },
      breaker: variable,
      params: [{ clamp: { x: { min: variable } } }],
    }
    expect(isValid(schema, file)).toBe(true)
    expect(isValid(schema, { debug_headers: 'X' })).toBe(false)
  })

  test('keeps the words of a choice together, with their meaning beside them', () => {
    expect(schema).toMatchObject({
      properties: {
        unknown_models: {
          anyOf: [{ type: 'string', enum: ['pass', 'refuse'] }, { $ref: '#/definitions/variable' }],
          default: 'pass',
        },
      },
    })
  })
})

describe('the reference of the file', () => {
  const reference = renderFileReference()

  test('has one table for each object, with all places that it can stand in', () => {
    const headings = reference.split('\n').filter((line) => line.startsWith('#'))
    expect(headings).toEqual([
      '### Top level',
      '### `timeouts`, `upstreams.<name>.timeouts`, `models.<name>.timeouts`',
      '### `retry`, `models.<name>.retry`',
      '### `breaker`, `upstreams.<name>.breaker`',
      '### `hedge`, `models.<name>.hedge`',
      '### `pins`',
      '### `upstreams.<name>`',
      '### `upstreams.<name>.concurrency`',
      '### `upstreams.<name>.check`',
      '### `models.<name>`',
      '### `models.<name>.targets[]`',
      '### `prices.<name>`',
      '### `prices.<name>.long_context[]`, `prices.<name>.tiers.<name>.long_context[]`',
      '### `prices.<name>.tiers.<name>`',
      '### `cache`',
      '### `ledger`',
      '### `ledger.usage_retention`',
      '### `projects.<name>`',
      '### `projects.<name>.spend_limit`, `projects.<name>.keys.<name>.spend_limit`',
      '### `projects.<name>.rate_limits.<name>`, `projects.<name>.keys.<name>.rate_limits.<name>`',
      '### `projects.<name>.model_permissions`, `projects.<name>.keys.<name>.model_permissions`',
      '### `projects.<name>.keys.<name>`',
      '### `admin_keys.<name>`',
      '### `extensions[]`',
      '### `params[]`',
      '### `params[].match`',
      '### `params[].clamp.<name>`',
    ])
  })

  test('has a row of four cells for each key', () => {
    const rows = reference.split('\n').filter((line) => line.startsWith('| `'))
    for (const row of rows) expect(row.split(/(?<!\\)\|/)).toHaveLength(6)
    expect(rows.length).toBeGreaterThan(80)
  })

  test.each([
    '| `attempts` | integer 1–10 | `3` | All attempts of one request together, the first among them; 1: no other. |',
    '| `base` | duration | `250ms` | Back-off before the same target is asked again: a random time up to this, doubled with each repetition. |',
    '| `weight` | number > 0 | `1` | Its share of the requests. |',
    '| `order` | integer ≥ 0 | its place with the strategy order, else 0 | Targets with a lower one are tried first. |',
    '| `breaker` | `false` or breaker | see there | When a target is left alone for a while; false: never. |',
    '| `upstream` | text | required | The name of an upstream. E.g. `openai` |',
    '| `model` | text or list of text | none | Names of models, with * for any characters; any of them. E.g. `gpt-*` |',
    '| `defaults` | map of any | none | Values of parameters that a request leaves out. E.g. `{"temperature":0.7}` |',
    '| `values` | map of list of any | none | The values that a parameter may have. E.g. `{"response_format.type":["text","json_object"]}` |',
    '| `debug_headers` | boolean | DEBUG_HEADERS | Whether responses carry Server-Timing and x-nexcode-* headers. |',
    '| `min` | number | none | A lower number becomes this one. E.g. `0` |',
  ])('has the row %s', (row) => {
    expect(reference.split('\n')).toContain(row)
  })
})
