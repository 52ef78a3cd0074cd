import { foldName } from '../formats/json/fold-name.ts'
import { isJsonObject, type JsonObject } from '../formats/json/json.ts'
import { isOwnWords } from './object-ids.ts'

/**
 * Is told of a member of an object within a body, or of the body itself (`depth` 0): its name as `foldName` gives it, its value, and
 * its place, with dots, and places in lists: `tools[0].model`; `param` is called at once, or never.
 */
export type VisitMember = (name: string, value: unknown, depth: number, param: () => string) => void

/** Members that hold free text only: messages, documents, schemas. */
const WORDS: ReadonlySet<string> = new Set([
  ...['messages', 'input_messages', 'content', 'contents', 'instructions', 'system', 'documents', 'examples'],
  ...['properties', '$defs', 'definitions', 'guided_json', 'response_schema', 'responseSchema', 'output_schema'],
])
/** Members in which some servers look for the body's own parameters, although the ids in them name no objects. */
const LOOKED_INTO: ReadonlySet<string> = new Set(['extra_body'])
/** The most objects and members that are visited at once: more would keep other requests waiting. */
const LOOKED_AT_MAX = 40_000
const DEPTH_MAX = 32

/**
 * Visits the members of a body and of all objects in it, except those of free text: another call, a session,
 * a grader or a tool has parameters of its own. False: there are too many, or they nest too deep, and some have not been visited.
 *
 * `within` is the place of a part of a body that is visited by itself.
 *
 * @example
 * const isWhole = visitMembers(body.value, (name, value) => { if (name === 'model') models.push(value) })
 */
export function visitMembers(body: unknown, visit: VisitMember, within: BodyPath = HERE): boolean {
  let left = LOOKED_AT_MAX
  const path: (string | number)[] = [...within]
  const param = (): string => paramOf(path)
  const goInto = (value: object, depth: number): boolean => {
    left -= 1
    if (left < 0 || depth > DEPTH_MAX) return false
    if (Array.isArray(value)) return (value as readonly unknown[]).every((one, at) => step(one, at, depth + 1))
    const object = value as JsonObject
    for (const key in object) {
      left -= 1
      const inner = object[key]
      path.push(key)
      visit(foldName(key), inner, depth, param)
      path.pop()
      if (!(isWords(key, inner, object) || step(inner, key, depth + 1))) return false
    }
    return true
  }
  const step = (value: unknown, at: string | number, depth: number): boolean => {
    if (typeof value !== 'object' || value === null) return true
    path.push(at)
    const isWhole = goInto(value, depth)
    path.pop()
    return isWhole
  }
  const isPart = within.length > 0 && Array.isArray(body)
  return isJsonObject(body) || isPart ? goInto(body as object, within.length) : true
}

/** The place of a value in a body: the names and the list indices that lead to it. */
export type BodyPath = readonly (string | number)[]

const HERE: BodyPath = []

/**
 * Whether a member of an object holds free text only. The `parameters` of an object with a name, which is a function, are a
 * schema; all others are parameters, such as those of a tool that the server runs itself (OpenRouter). A list of inputs is free text.
 */
export function isWords(key: string, value: unknown, { name, type }: JsonObject): boolean {
  if (LOOKED_INTO.has(key)) return false
  if (key === 'parameters') return typeof name === 'string' && (typeof type !== 'string' || type === 'function')
  if (key === 'input') return Array.isArray(value) && !value.some(bringsCall)
  return WORDS.has(key) || isOwnWords(key)
}

/** Whether a member of that name holds free text only, whatever stands in it or beside it. */
export function isWordsByName(key: string): boolean {
  return WORDS.has(key) || (isOwnWords(key) && key !== 'parameters' && !LOOKED_INTO.has(key))
}

/** Whether an element of a list is a call of its own, as in a batch. */
export function bringsCall(element: unknown): element is JsonObject {
  return isJsonObject(element) && (isJsonObject(element['body']) || isJsonObject(element['params']))
}

function paramOf(path: BodyPath): string {
  return path.map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`)).join('')
}
