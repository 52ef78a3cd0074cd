import { countKeys, isEqualJson } from '../formats/json/equal.ts'
import type { Json, JsonObject } from '../formats/json/json.ts'
import { countMembers } from '../formats/json/skip.ts'
import { meantBy, type Names, type NameTree } from './name-tree.ts'
import { notInAForm, sentTwice, spelledOtherwise } from './refusals.ts'

/** A field of a form as part of an object: a text, the texts of a list, or the fields below it. */
type Field = string | string[] | FieldObject

/** The fields below a field of a form. */
interface FieldObject {
  [name: string]: Field
}

/** `include[]`, `chunking_strategy[type]`: brackets and dots lead from one name to the next. */
const NAME_SEPARATORS = /[[\].]/

/**
 * Makes the object that a form's text fields stand for: a name with `[]` behind it is a list.
 *
 * Throws `rules_not_applicable` if a field that a rule may name is ambiguous: it occurs twice and is no list, is both a text and the
 * parent of others, is a text where a rule names something within, or is spelled in another way than in the rule.
 *
 * @example
 * const value = fieldsToObject(new Map([['model', ['whisper-1']]]), plan.named)
 */
export function fieldsToObject(fields: ReadonlyMap<string, readonly string[]>, named: NameTree): FieldObject {
  const root = emptyObject()
  for (const [name, texts] of fields) {
    const isList = name.endsWith('[]')
    const names = (isList ? name.slice(0, -2) : name).split(NAME_SEPARATORS).filter((part) => part !== '')
    const isPlaced = place(root, names, isList ? [...texts] : (texts[0] ?? ''))
    const isClear = isPlaced && (isList || texts.length === 1)
    if (!isClear && named.children.has(names[0] ?? '')) throw sentTwice(names)
    const meant = fieldMeantBy(name, named)
    if (meant !== undefined && meant !== names[0]) throw spelledOtherwise([name], meant)
  }
  assertTextsAreWhole(root, named, [])
  return root
}

/**
 * Gives the outermost name in a tree that some server takes a form's field for, which may be that name itself; undefined: none.
 *
 * PHP reads a name up to its first bracket, where a dot and a blank are underscores; others read it up to its first dot.
 *
 * @example
 * fieldMeantBy('Max.Tokens[0]', plan.named) // 'max_tokens'
 */
export function fieldMeantBy(field: string, named: NameTree): string | undefined {
  const [first = '', second = ''] = field.split('[', 2)
  // Some parsers ignore a bracket at the very front; to others it encloses the outermost name.
  const root = first.trim() === '' ? (second.split(']', 1)[0] ?? '') : first
  for (const name of [root, root.split('.', 1)[0] ?? '', field]) {
    const meant = named.children.has(name) ? name : meantBy(name, named)
    if (meant !== undefined) return meant
  }
  return undefined
}

/** Whether a field equals a rule's value: a text also equals the JSON that it spells. */
export function isEqualField(field: unknown, expected: unknown): boolean {
  if (typeof field === 'string' && typeof expected === 'number') return numberOfField(field) === expected
  if (typeof field === 'string' && typeof expected !== 'string') return isEqualJson(parsed(field), expected)
  if (Array.isArray(field) && Array.isArray(expected)) {
    return field.length === expected.length && field.every((item, index) => isEqualField(item, expected[index]))
  }
  return isEqualJson(field, expected)
}

/**
 * Gives the number that a field's text spells in JSON; undefined: none, or one with an exponent. `500e-2` is 5 to one reader, and
 * 500 to another that stops behind the digits.
 */
export function numberOfField(text: string): number | undefined {
  const value = EXPONENT.test(text) ? undefined : parsed(text)
  return typeof value === 'number' ? value : undefined
}

const EXPONENT = /\de[+-]?\d/i

function place(root: FieldObject, names: Names, field: Field): boolean {
  let object = root
  for (const name of names.slice(0, -1)) {
    const inner = object[name] ?? emptyObject()
    if (typeof inner === 'string' || Array.isArray(inner)) return false
    object[name] = inner
    object = inner
  }
  const last = names.at(-1) ?? ''
  if (object[last] !== undefined) return false
  object[last] = field
  return true
}

function assertTextsAreWhole(object: FieldObject, named: NameTree, outer: Names): void {
  for (const name of Object.keys(object)) {
    const meant = outer.length === 0 ? undefined : meantBy(name, named)
    if (meant !== undefined) throw spelledOtherwise([...outer, name], meant)
  }
  for (const [name, { children }] of named.children) {
    const field = object[name]
    if (children.size === 0 || field === undefined || Array.isArray(field)) continue
    if (typeof field === 'string') throw notInAForm([...outer, name])
    assertTextsAreWhole(field, { isEnd: false, children }, [...outer, name])
  }
}

/** The object has no prototype, so that `__proto__` is a name like any other. */
function emptyObject(): FieldObject {
  return Object.create(null)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Gives a form's text fields as one object. A field whose text is an object or a list of JSON becomes that: a session's parameters come so
 * (OpenAI specification, `realtime/calls`). A name that comes several times becomes a list. Throws `rules_not_applicable` where such a text
 * has a name twice.
 *
 * @example
 * const { session } = valueOfForm(form)
 */
export function valueOfForm({ fields }: { readonly fields: ReadonlyMap<string, readonly string[]> }): JsonObject {
  const entries = [...fields].map(([name, texts]): [string, Json] => {
    const values = texts.map((text) => readFieldText(name, text))
    const value = values.length === 1 ? (values[0] ?? null) : values
    const within = innermost(name)
    return [name, within === undefined ? value : { [within]: numbersIn(value) }]
  })
  return Object.fromEntries(entries)
}

/** The last name of `session[model]` or `tools[0][model]`; undefined: the field's name has no parts. */
function innermost(name: string): string | undefined {
  if (!/[[.]/.test(name)) return undefined
  return name
    .split(/[[\].]/)
    .filter((part) => part !== '' && !/^\d+$/.test(part))
    .slice(1)
    .at(-1)
}

/** Turns texts that spell a number into that number: a form is all text. */
function numbersIn(value: Json): Json {
  if (Array.isArray(value)) return value.map(numbersIn)
  return typeof value === 'string' ? (numberOfField(value) ?? value) : value
}

function readFieldText(name: string, text: string): Json {
  if (!/^\s*[[{]/.test(text)) return text
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch {
    return text
  }
  const bytes = new TextEncoder().encode(text)
  if (countMembers(bytes, 0, bytes.length) !== countKeys(value)) throw sentTwice([name, '…'])
  return value
}
