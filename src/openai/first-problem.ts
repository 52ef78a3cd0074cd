import { KindGuard, type TArray, type TObject, type TSchema, type TString } from '@sinclair/typebox'
import { isJsonObject } from '../formats/json/json.ts'
import { distinctWords, type TypeWords, wordsOfSchema } from './json-type-words.ts'

/** The place where a value departs from its schema. `path` is relative to the value; an index is a number. */
export interface Finding {
  readonly kind: 'missing_required_parameter' | 'empty_array' | 'invalid_type'
  readonly path: (string | number)[]
  /** The expected types; empty if the value is of another shape of a union. */
  readonly expected: readonly TypeWords[]
  readonly value: unknown
}

/** Finds the first problem of a value, in the order of the schema's fields. */
export type FindProblem = (value: unknown) => Finding | undefined

// Shared and never changed: a union sorts it out before its path could grow, and a bad body of many megabytes meets
// it millions of times.
const ANOTHER_SHAPE: Finding = { kind: 'invalid_type', path: [], expected: [], value: undefined }

/**
 * Prepares the search for a schema's first problem.
 *
 * It looks into a union's members, where TypeBox's own errors stop: of `content: [{ type: 'text', text: 5 }]` it says
 * `content[0].text`. Members that are objects are told apart by their literal `type`. The search is as deep as the
 * schema, never as deep as the value.
 *
 * @throws TypeError for a kind of schema that no request schema uses yet.
 */
export function compileFirstProblem(schema: TSchema): FindProblem {
  if (KindGuard.IsUnion(schema)) return findInUnion(schema.anyOf.map(compileFirstProblem))
  if (KindGuard.IsObject(schema)) return findInObject(schema)
  if (KindGuard.IsRecord(schema)) return findInRecord(schema, Object.values(schema.patternProperties))
  if (KindGuard.IsArray(schema)) return findInArray(schema)
  if (KindGuard.IsLiteral(schema)) return (value) => (value === schema.const ? undefined : ANOTHER_SHAPE)
  if (KindGuard.IsNull(schema)) return (value) => (value === null ? undefined : ANOTHER_SHAPE)
  if (KindGuard.IsString(schema)) return findInString(schema)
  if (KindGuard.IsBoolean(schema)) return findByType(schema, (value) => typeof value === 'boolean')
  if (KindGuard.IsNumber(schema)) return findByType(schema, (value) => typeof value === 'number')
  if (KindGuard.IsInteger(schema)) return findByType(schema, isIntegral)
  throw new TypeError(`a request schema has a part that is not searched yet: ${JSON.stringify(schema)}`)
}

// 1e400 is read as Infinity: a number that is too large for anyone. The upstream has to say so.
function isIntegral(value: unknown): boolean {
  return typeof value === 'number' && (Number.isInteger(value) || !Number.isFinite(value))
}

function findByType(schema: TSchema, fits: (value: unknown) => boolean): FindProblem {
  const wrong = wrongType(schema)
  return (value) => (fits(value) ? undefined : wrong(value))
}

function wrongType(schema: TSchema): (value: unknown) => Finding {
  const expected = wordsOfSchema(schema)
  return (value) => ({ kind: 'invalid_type', path: [], expected, value })
}

function findInString(schema: TString): FindProblem {
  const wrong = wrongType(schema)
  const pattern = schema.pattern === undefined ? undefined : new RegExp(schema.pattern)
  return (value) => {
    if (typeof value !== 'string') return wrong(value)
    return pattern === undefined || pattern.test(value) ? undefined : ANOTHER_SHAPE
  }
}

function findInObject(schema: TObject): FindProblem {
  const wrong = wrongType(schema)
  const fields = Object.entries(schema.properties).map(([key, field]) => ({
    key,
    tellsShape: KindGuard.IsLiteral(field),
    find: compileFirstProblem(field),
  }))
  const required = (schema.required ?? []).filter((key) => !KindGuard.IsLiteral(schema.properties[key]))
  return (value) => {
    if (!isJsonObject(value)) return wrong(value)
    for (const key of required) {
      if (value[key] === undefined) {
        return { kind: 'missing_required_parameter', path: [key], expected: [], value: undefined }
      }
    }
    for (const { key, tellsShape, find } of fields) {
      const field = value[key]
      const found = field === undefined && !tellsShape ? undefined : find(field)
      if (found !== undefined) return within(key, found)
    }
    return undefined
  }
}

function findInRecord(schema: TSchema, [values]: readonly TSchema[]): FindProblem {
  if (values === undefined) throw new TypeError('a record needs a schema for its values')
  const wrong = wrongType(schema)
  const find = compileFirstProblem(values)
  return (value) => {
    if (!isJsonObject(value)) return wrong(value)
    for (const key of Object.keys(value)) {
      const found = find(value[key])
      if (found !== undefined) return within(key, found)
    }
    return undefined
  }
}

function findInArray(schema: TArray): FindProblem {
  const wrong = wrongType(schema)
  const find = compileFirstProblem(schema.items)
  const minItems = schema.minItems ?? 0
  return (value) => {
    if (!Array.isArray(value)) return wrong(value)
    if (value.length < minItems) return { kind: 'empty_array', path: [], expected: [], value }
    for (let index = 0; index < value.length; index += 1) {
      const found = find(value[index])
      if (found !== undefined) return within(index, found)
    }
    return undefined
  }
}

function findInUnion(members: readonly FindProblem[]): FindProblem {
  return (value) => {
    let furthest: Finding | undefined
    for (const find of members) {
      const found = find(value)
      if (found === undefined) return undefined
      if (found !== ANOTHER_SHAPE) furthest = furthest === undefined ? found : further(furthest, found)
    }
    return furthest
  }
}

// The member that got furthest into the value is the one that was meant; all members that stopped at one place are named.
function further(one: Finding, other: Finding): Finding {
  for (const [depth, step] of one.path.entries()) {
    const otherStep = other.path[depth]
    if (otherStep === undefined) return one
    if (step !== otherStep) return typeof step === 'number' && step < Number(otherStep) ? other : one
  }
  if (other.path.length > one.path.length) return other
  return { ...one, expected: distinctWords([...one.expected, ...other.expected]) }
}

function within(step: string | number, found: Finding): Finding {
  if (found !== ANOTHER_SHAPE) found.path.unshift(step)
  return found
}
