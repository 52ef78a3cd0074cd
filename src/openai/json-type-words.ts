import { KindGuard, type TSchema } from '@sinclair/typebox'

/** The words for a field's type, as OpenAI uses them: the article is said once, before the first of several alternatives. */
export interface TypeWords {
  readonly article: 'a' | 'an' | 'one of'
  readonly noun: string
}

/** Gives the words for a JSON value's type, as OpenAI uses them: `a string`, `an integer`, `a decimal number`, `null`, … */
export function wordsOfValue(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal number'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/**
 * Gives the words for the types that a schema accepts, as OpenAI uses them.
 *
 * A schema may have its own noun in `x-noun`, and the known values of an open enum in its `examples`. Null is not
 * listed: OpenAI doesn't list it either.
 */
export function wordsOfSchema(schema: TSchema): readonly TypeWords[] {
  const ownNoun: unknown = schema['x-noun']
  if (typeof ownNoun === 'string') return [withArticle(ownNoun)]
  if (KindGuard.IsUnion(schema)) return distinctWords(schema.anyOf.flatMap(wordsOfSchema))
  if (KindGuard.IsArray(schema)) return [withArticle(`array of ${pluralOf(schema.items)}`)]
  if (KindGuard.IsString(schema)) return [wordsOfString(schema.examples)]
  if (KindGuard.IsNumber(schema)) return [withArticle('decimal')]
  if (KindGuard.IsInteger(schema)) return [withArticle('integer')]
  if (KindGuard.IsBoolean(schema)) return [withArticle('boolean')]
  return KindGuard.IsObject(schema) || KindGuard.IsRecord(schema) ? [withArticle('object')] : []
}

/** Alternatives as one phrase: `an integer`, `one of a string or array of objects`. */
export function joinWords(words: readonly TypeWords[]): string {
  const phrases = words.map(({ article, noun }, index) => (index === 0 ? `${article} ${noun}` : noun))
  return phrases.length > 1 ? `one of ${orList(phrases)}` : phrases.join('')
}

/** The same words without repetitions. */
export function distinctWords(words: readonly TypeWords[]): readonly TypeWords[] {
  return words.filter(({ noun }, index) => words.findIndex((other) => other.noun === noun) === index)
}

function withArticle(noun: string): TypeWords {
  return { article: /^[aeiou]/.test(noun) ? 'an' : 'a', noun }
}

function wordsOfString(examples: unknown): TypeWords {
  if (!Array.isArray(examples) || examples.length < 2) return withArticle('string')
  return { article: 'one of', noun: orList(examples.map((value) => `'${value}'`)) }
}

function pluralOf(items: TSchema): string {
  if (KindGuard.IsArray(items)) return `arrays of ${pluralOf(items.items)}`
  const [words] = wordsOfSchema(items)
  return words === undefined ? 'values' : `${words.noun}s`
}

function orList(phrases: readonly string[]): string {
  if (phrases.length < 3) return phrases.join(' or ')
  return `${phrases.slice(0, -1).join(', ')}, or ${phrases.at(-1)}`
}
