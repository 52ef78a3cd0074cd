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
 * `isWanted` tells whether a member of that name is to be visited at all: others may be left out, or not. `within` is the place of a part
 * of a body that is visited by itself.
 *
 * @example
 * const isWhole = visitMembers(body.value, (name, value) => { if (isModelName(name)) models.push(value) }, isModelName)
 */
export function visitMembers(
  body: unknown,
  visit: VisitMember,
  isWanted: (name: string) => boolean,
  within: BodyPath = HERE,
): boolean {
  const isPart = within.length > 0 && Array.isArray(body)
  return isJsonObject(body) || isPart ? new Visits(visit, isWanted, within).goInto(body, within.length) : true
}

/** The names of the members that are visited in a value, the levels below it, and the objects, lists and members in it. */
interface Summary {
  readonly names: ReadonlySet<string>
  readonly levels: number
  readonly count: number
}

const summaries = new WeakMap<object, Summary>()

/**
 * Remembers which names are in a value that comes again, as a member of other bodies: where none of them is wanted, it is not gone through
 * then. Nobody may change it from now on.
 *
 * @example
 * rememberNames(tools)
 */
export function rememberNames(value: object): void {
  const names = new Set<string>()
  const visits = new Visits((name) => void names.add(name), isAnyWanted, HERE)
  if (!visits.goInto(value, 0)) return
  summaries.set(value, { names, levels: visits.deepest, count: LOOKED_AT_MAX - visits.left })
}

function isAnyWanted(): boolean {
  return true
}

/** The visits to the members of one body. */
class Visits {
  left = LOOKED_AT_MAX
  deepest = 0
  readonly #visit: VisitMember
  readonly #isWanted: (name: string) => boolean
  readonly #path: (string | number)[]
  readonly #param = (): string => paramOf(this.#path)

  constructor(visit: VisitMember, isWanted: (name: string) => boolean, within: BodyPath) {
    this.#visit = visit
    this.#isWanted = isWanted
    this.#path = [...within]
  }

  /** Visits the members of an object or a list; false: not all. */
  goInto(value: object, depth: number): boolean {
    this.left -= 1
    if (this.left < 0 || depth > DEPTH_MAX) return false
    if (depth > this.deepest) this.deepest = depth
    if (Array.isArray(value)) return (value as readonly unknown[]).every((one, at) => this.#step(one, at, depth + 1))
    const object = value as JsonObject
    for (const key in object) {
      this.left -= 1
      const inner = object[key]
      this.#path.push(key)
      this.#visit(foldName(key), inner, depth, this.#param)
      this.#path.pop()
      if (!(isWords(key, inner, object) || this.#step(inner, key, depth + 1))) return false
    }
    return true
  }

  #step(value: unknown, at: string | number, depth: number): boolean {
    if (typeof value !== 'object' || value === null) return true
    if (depth === 1 && this.#passOver(value)) return true
    this.#path.push(at)
    const isWhole = this.goInto(value, depth)
    this.#path.pop()
    return isWhole
  }

  /** Passes over a member of the body that is known to have no wanted names, and neither too many members nor too many levels. */
  #passOver(value: object): boolean {
    const summary = summaries.get(value)
    if (summary === undefined || 1 + summary.levels > DEPTH_MAX || summary.count > this.left) return false
    for (const name of summary.names) if (this.#isWanted(name)) return false
    this.left -= summary.count
    return true
  }
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
