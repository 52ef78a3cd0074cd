import { isOwnWords, namesObject, OBJECT_ID_CHARS_MAX } from '../openai/object-ids.ts'

/** The ids that a request names. */
export interface NamedIds {
  /** Ids at places where only an object's id may stand, in the order in which they decide. */
  readonly certain: readonly string[]
  /** Texts at places where an id may stand: they are looked up in this process only. */
  readonly possible: readonly string[]
}

/** Words of the API's paths at places where ids may stand, too. */
const PATH_WORDS: ReadonlySet<string> = new Set(
  `cancel content input_items compact items messages runs steps submit_tool_outputs files file_batches search parts complete
   jobs checkpoints permissions events pause resume alpha graders run validate completions output_items versions remix
   characters calls accept hangup refer reject client_secrets sessions transcription_sessions threads input_tokens variant
   translations`.split(/\s+/),
)
const QUERY_NAME = /(?:^|_)(?:ids?|after|before)(?:\[\])?$/
/** The members that name what a conversation continues: they decide before those that name what it only uses. */
const FIRST: ReadonlySet<string> = new Set(['previous_response_id', 'conversation'])
const CERTAIN_MAX = 16
const DEPTH_MAX = 16
const NODES_MAX = 50_000

/**
 * Returns the part of a request target below `/v1/`, with its query.
 *
 * @example
 * const { certain } = namedIds(pathOf(exchange.requestTarget), body)
 */
export function pathOf(target: string): string {
  return target.replace(/^\/?(?:v1\/)?/, '')
}

/**
 * Collects the ids of objects that a request names: in its path, then in its query, then anywhere in its JSON body.
 *
 * `path` is the part of the target below `/v1/`, with its query.
 *
 * @example
 * const { certain } = namedIds('responses/resp_1/cancel', undefined)
 */
export function namedIds(path: string, body: unknown): NamedIds {
  const certain: string[] = []
  const [resourcePath = '', query = ''] = path.split('?', 2)
  for (const segment of resourcePath.split('/').slice(1)) {
    if (segment.length > 1 && !PATH_WORDS.has(segment)) certain.push(decode(segment))
  }
  for (const parameter of query === '' ? [] : query.split('&')) {
    const [name = '', value = ''] = parameter.split('=', 2)
    if (value !== '' && QUERY_NAME.test(name)) certain.push(decode(value))
  }
  const found: Findings = { first: [], others: [], possible: [], nodesLeft: NODES_MAX }
  if (typeof body === 'object' && body !== null) walk(body, '', 0, found)
  certain.push(...found.first, ...found.others)
  return { certain: certain.filter(isShort).slice(0, CERTAIN_MAX), possible: found.possible.filter(isShort) }
}

function isShort({ length }: string): boolean {
  return length > 0 && length <= OBJECT_ID_CHARS_MAX
}

/** Clients encode the `=`, `/` and `+` of an id. */
function decode(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The ids found in a body, and how many more of its nodes are looked at: callers' bodies may be of any size. */
interface Findings {
  readonly first: string[]
  readonly others: string[]
  readonly possible: string[]
  nodesLeft: number
}

/** Walks an object or a list; `name`: the name of the member that holds it, or that holds its list. */
function walk(value: object, name: string, depth: number, found: Findings): void {
  found.nodesLeft -= 1
  if (depth > DEPTH_MAX || found.nodesLeft < 0) return
  if (Array.isArray(value)) {
    const isIds = namesObject(name)
    for (const element of value as readonly unknown[]) {
      if (typeof element === 'object' && element !== null) walk(element, name, depth + 1, found)
      else if (isIds && typeof element === 'string') found.others.push(element)
    }
    return
  }
  for (const key in value) {
    const member: unknown = (value as Readonly<Record<string, unknown>>)[key]
    if (typeof member === 'string') {
      if (namesObject(key)) listFor(key, name, value, found).push(member)
    } else if (typeof member === 'object' && member !== null && !isOwnWords(key)) walk(member, key, depth + 1, found)
  }
}

function listFor(key: string, name: string, value: object, { first, others, possible }: Findings): string[] {
  if (key !== 'id') return FIRST.has(key) ? first : others
  if (FIRST.has(name)) return first
  return isReference(value) ? others : possible
}

/** Tells whether an object is only a reference to the one that has its id. */
function isReference(value: object): boolean {
  if (Object.keys(value).length === 1) return true
  const type: unknown = 'type' in value ? value.type : undefined
  return type === 'item_reference' || type === 'file_id'
}
