import { KindGuard, type TSchema } from '@sinclair/typebox'
import { suggest } from '../../formats/text/nearest.ts'
import { type Fault, quoteText } from '../scalar-kinds.ts'
import { unionMembersOf } from './schema-types.ts'

const ELSEWHERE = 'See docs/configuration.md for what there is.'

/** Words the fault of a key that an object does not have. */
export function unknownKey(key: string, known: readonly string[]): Fault {
  const merge = 'YAML 1.2 knows no merge keys: an alias (*name) stands for a whole value.'
  return { wrong: 'is not known here', cure: key === '<<' ? merge : suggest(key, known, ELSEWHERE) }
}

/** Words the fault of a word that is none of `words`; `others` are further schemas. `shown` is undefined where it may be a secret. */
export function unknownWord(
  word: string,
  shown: string | undefined,
  words: readonly string[],
  others: readonly TSchema[],
): Fault {
  return { wrong: sentence(shown, 'is not known here'), cure: suggest(word, words, ELSEWHERE) + alsoGood(others) }
}

/** Words the fault of a missing key. */
export function missingKey(key: string, schema: TSchema): Fault {
  return { wrong: 'is missing', cure: `Add "${key}"${suchAs(schema)}.` }
}

/** Words the fault of a value of another type than its schema's. */
export function wrongType(schema: TSchema, value: unknown, shown: string | undefined): Fault {
  const expected = expectedOf(schema)
  const isScalar = value !== null && typeof value !== 'object'
  if (isScalar) {
    const cure = KindGuard.IsString(schema) && typeof value !== 'string' ? 'Put it in quotes.' : cureOf(schema)
    return { wrong: sentence(shown, `is not ${expected}`), cure }
  }
  const found = value === null ? 'empty' : Array.isArray(value) ? 'a list' : 'a map'
  const cure = value === null ? cureOf(schema).replace(/\.$/, ', or take the key out.') : cureOf(schema)
  return { wrong: `is ${found}, where ${expected} belongs`, cure }
}

/** Words the fault of a number beyond its schema's bounds. */
export function outOfRange(schema: TSchema, shown: string | undefined): Fault {
  return { wrong: sentence(shown, 'is out of range'), cure: `Use ${expectedOf(schema)}.` }
}

/** Words the fault of an empty text, list or map. */
export function nothingIn(schema: TSchema): Fault {
  if (KindGuard.IsString(schema)) return { wrong: 'is empty', cure: 'Write a text, or take the key out.' }
  return { wrong: 'has nothing in it', cure: 'Name at least one, or take the key out.' }
}

/** A value as a problem shows it; a text in quotes. */
export function showScalar(value: unknown): string {
  return typeof value === 'string' ? quoteText(value) : String(value)
}

/** The values that a schema accepts, in words, such as `a whole number from 1 to 10`. */
export function expectedOf(schema: TSchema): string {
  if (schema['x-duration'] !== undefined) return 'a length of time'
  if (KindGuard.IsInteger(schema)) return `a whole number${rangeOf(schema)}`
  if (KindGuard.IsNumber(schema)) return `a number${rangeOf(schema)}`
  if (KindGuard.IsString(schema)) return 'a text'
  if (KindGuard.IsBoolean(schema)) return 'true or false'
  if (KindGuard.IsArray(schema)) return 'a list'
  if (KindGuard.IsLiteral(schema)) return typeof schema.const === 'string' ? 'a word' : String(schema.const)
  if (KindGuard.IsUnion(schema)) return [...new Set(schema.anyOf.map(expectedOf))].join(' or ')
  return 'a map'
}

function cureOf(schema: TSchema): string {
  if (schema['x-duration'] !== undefined) return 'Use milliseconds, or a whole number with ms, s, m or h.'
  if (KindGuard.IsArray(schema)) return 'Write a list: "- " before each entry, or [one, another].'
  if (KindGuard.IsObject(schema))
    return `Write its keys below it, indented, such as ${Object.keys(schema.properties).find((key) => !key.startsWith('$'))}.`
  if (KindGuard.IsBoolean(schema)) return 'Write true or false.'
  const words = wordsOf(schema)
  if (words.length > 0) return suggest('', words, ELSEWHERE) + alsoGood(unionMembersOf(schema).filter(isNoLiteral))
  return `Write ${expectedOf(schema)}${suchAs(schema)}.`
}

function suchAs(schema: TSchema): string {
  const [example]: unknown[] = Array.isArray(schema.examples) ? schema.examples : [schema.default]
  return example === undefined ? '' : `, such as ${JSON.stringify(example)}`
}

function rangeOf(schema: TSchema): string {
  const { minimum, maximum, exclusiveMinimum } = schema
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}, up to ${maximum}`
  return minimum === undefined ? '' : ` from ${minimum} to ${maximum}`
}

/** A sentence about a value, or about its key alone where the value must not be shown (undefined). */
export function sentence(shown: string | undefined, rest: string): string {
  return shown === undefined ? rest : `${shown} ${rest}`
}

/** The words that a schema accepts. */
export function wordsOf(schema: TSchema): readonly string[] {
  return unionMembersOf(schema).flatMap((one) => (typeof one['const'] === 'string' ? [one['const']] : []))
}

/** Whether a schema is more than one word. */
export function isNoLiteral(schema: TSchema): boolean {
  return !KindGuard.IsLiteral(schema)
}

function alsoGood(others: readonly TSchema[]): string {
  return others.map((other) => ` ${capital(expectedOf(other))} is good, too.`).join('')
}

function capital(phrase: string): string {
  return phrase.charAt(0).toUpperCase() + phrase.slice(1)
}
