import { isEqualJson } from '../formats/json/equal.ts'
import { meantBy, type Names, type NameTree } from './name-tree.ts'
import { notInAForm, sentTwice, spelledOtherwise } from './refusals.ts'

/** A field of a form as an object holds it: a text, the texts of a list, or the fields below it. */
type Field = string | string[] | FieldObject

/** The fields of a form that stand within one. */
interface FieldObject {
  [name: string]: Field
}

/** `include[]`, `chunking_strategy[type]`: brackets and dots lead from one name to the next. */
const NAME_SEPARATORS = /[[\].]/

/**
 * Makes of a form's text fields the object that they stand for: a name with `[]` behind it is a list.
 *
 * Throws `rules_not_applicable` where a field that a rule may name cannot be told: it occurs twice and is no list, is both a
 * text and the parent of others, is a text where a rule names something within, or is written in another way than the rule has it.
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
 * The outermost name in a tree that some server takes a form's field for, which may be that name itself; undefined: none.
 *
 * Before its first bracket: so PHP reads it, to whom a dot and a blank are underscores there. Before its first dot: so do others.
 *
 * @example
 * fieldMeantBy('Max.Tokens[0]', plan.named) // 'max_tokens'
 */
export function fieldMeantBy(field: string, named: NameTree): string | undefined {
  const [first = '', second = ''] = field.split('[', 2)
  // A bracket at the very front is none to some parsers, and to others leads to the outermost name.
  const root = first.trim() === '' ? (second.split(']', 1)[0] ?? '') : first
  for (const name of [root, root.split('.', 1)[0] ?? '', field]) {
    const meant = named.children.has(name) ? name : meantBy(name, named)
    if (meant !== undefined) return meant
  }
  return undefined
}

/** Whether a field equals a rule's value: a text equals what it would be as JSON, too. */
export function isEqualField(field: unknown, expected: unknown): boolean {
  if (typeof field === 'string' && typeof expected === 'number') return numberOfField(field) === expected
  if (typeof field === 'string' && typeof expected !== 'string') return isEqualJson(parsed(field), expected)
  if (Array.isArray(field) && Array.isArray(expected)) {
    return field.length === expected.length && field.every((item, index) => isEqualField(item, expected[index]))
  }
  return isEqualJson(field, expected)
}

/**
 * The number that a field's text is; undefined where it is none of JSON's, or has an exponent: `500e-2` is 5 to one reader, and 500 to
 * one who reads digits as far as they go.
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

/** Without a prototype, so that each name is one like any other. */
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
