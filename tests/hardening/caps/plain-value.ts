import type { LooseObject, LooseValue } from './loose-json.ts'
import type { Field } from './read-fields.ts'

/** What a server has in its hands when it has read a body: each name once, as it takes it. */
export type PlainValue = string | number | boolean | null | undefined | PlainValue[] | PlainObject

/** An object without a prototype. */
export interface PlainObject {
  [name: string]: PlainValue
}

/** How a server takes the names of an object. */
export interface NameStyle {
  readonly fold: (name: string) => string
  /** Which of two members of one name counts. */
  readonly picks: 'first' | 'last'
}

/** Whether a value is an object. */
export function isPlainObject(value: PlainValue): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isLooseObject(value: LooseValue): value is LooseObject {
  return typeof value === 'object' && value !== null && 'members' in value
}

/** Takes a JSON value as a server does. */
export function takeJson(value: LooseValue, style: NameStyle): PlainValue {
  if (isLooseObject(value)) {
    const taken = emptyObject()
    for (const [name, inner] of value.members) put(taken, style.fold(name), takeJson(inner, style), style)
    return taken
  }
  return typeof value === 'object' && value !== null ? value.items.map((item) => takeJson(item, style)) : value
}

/** Takes the fields of a form whose names are what they are. */
export function takeFlat(fields: readonly Field[], style: NameStyle): PlainObject {
  const taken = emptyObject()
  for (const [name, text] of fields) put(taken, style.fold(name), text, style)
  return taken
}

/** Takes the fields of a form whose brackets lead into objects and lists, as qs, multer and PHP do; two of one name are a list. */
export function takeNested(fields: readonly Field[], fold: (name: string) => string): PlainObject {
  const taken = emptyObject()
  for (const [name, text] of fields) {
    const keys = keysOf(name).map(fold)
    let object = taken
    for (const key of keys.slice(0, -1)) {
      const before = object[key]
      const inner = isPlainObject(before) ? before : emptyObject()
      object[key] = inner
      object = inner
    }
    const last = keys.at(-1) ?? ''
    const before = object[last]
    object[last] = before === undefined ? text : [before, text].flat()
  }
  return taken
}

function keysOf(name: string): readonly string[] {
  const at = name.indexOf('[')
  const root = at === -1 ? name : name.slice(0, at)
  const inner = [...name.slice(root.length).matchAll(/\[([^\]]*)\]?/g)].map(([, key = '']) => key)
  // An empty key, or a number, is a place in a list: what counts for us is the name before it.
  const names = (root === '' ? inner : [root, ...inner]).filter((key) => !/^\d*$/.test(key))
  return names.length === 0 ? [name] : names
}

function put(object: PlainObject, name: string, value: PlainValue, { picks }: NameStyle): void {
  if (picks === 'last' || !(name in object)) object[name] = value
}

function emptyObject(): PlainObject {
  return Object.create(null) as PlainObject
}
