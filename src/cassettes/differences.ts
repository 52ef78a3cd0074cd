import { canonicalText } from '../formats/json/canonical-json.ts'
import { type ExactJson, isExactObject } from '../formats/json/exact.ts'

/** A place in which two values differ. */
export interface Difference {
  /** Such as `messages[1].content`. */
  readonly path: string
  /** undefined: the place is missing there. */
  readonly recorded: ExactJson | undefined
  readonly came: ExactJson | undefined
}

const VALUE_CHARS_MAX = 60
/** How many characters are shown before the place where two long texts part. */
const BEFORE_CHARS = 15
const PATH_CHARS_MAX = 80

/**
 * Finds the places in which two values differ. It goes into objects and lists where both values have one.
 *
 * @example
 * const [first] = differences({ n: [1] }, { n: [2] }) // { path: 'n[0]', recorded: 1, came: 2 }
 */
export function* differences(
  recorded: ExactJson | undefined,
  came: ExactJson | undefined,
  path = '',
): Generator<Difference> {
  if (Array.isArray(recorded) && Array.isArray(came)) {
    for (let index = 0; index < Math.max(recorded.length, came.length); index += 1) {
      yield* differences(recorded[index], came[index], `${path}[${index}]`)
    }
  } else if (isExactObject(recorded) && isExactObject(came)) {
    for (const name of new Set([...Object.keys(recorded), ...Object.keys(came)])) {
      yield* differences(own(recorded, name), own(came, name), path === '' ? name : `${path}.${name}`)
    }
  } else if (!isSame(recorded, came)) yield { path, recorded, came }
}

/**
 * Describes a difference in few words.
 *
 * @example
 * renderDifference({ path: 'n', recorded: 1, came: 2 }) // 'n: 1 was recorded, 2 came'
 */
export function renderDifference({ path, recorded, came }: Difference): string {
  const from = firstDifference(recorded, came)
  const place = path === '' ? 'body' : shorten(path, PATH_CHARS_MAX)
  return `${place}: ${show(recorded, from)} was recorded, ${show(came, from)} came`
}

function own(object: { readonly [name: string]: ExactJson }, name: string): ExactJson | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

function isSame(one: ExactJson | undefined, other: ExactJson | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return canonicalText(one) === canonicalText(other)
}

/** The index from which two texts are shown: a little before they part, because their common beginning says nothing. */
function firstDifference(one: ExactJson | undefined, other: ExactJson | undefined): number {
  if (typeof one !== 'string' || typeof other !== 'string') return 0
  let at = 0
  while (at < one.length && one[at] === other[at]) at += 1
  return Math.max(one.length, other.length) <= VALUE_CHARS_MAX ? 0 : Math.max(0, at - BEFORE_CHARS)
}

function show(value: ExactJson | undefined, from: number): string {
  if (value === undefined) return 'nothing'
  if (typeof value !== 'string') return shorten(canonicalText(value), VALUE_CHARS_MAX)
  return JSON.stringify(`${from > 0 ? '…' : ''}${shorten(value.slice(from), VALUE_CHARS_MAX)}`)
}

function shorten(text: string, charsMax: number): string {
  return text.length > charsMax ? `${text.slice(0, charsMax).toWellFormed()}…` : text
}
