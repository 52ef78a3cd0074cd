import { isOwnWords, namesObject, OBJECT_ID_CHARS_MAX } from '../openai/object-ids.ts'

/** The ids that a request names. */
export interface NamedIds {
  /** Where nothing but an id of an object stands, in the order in which they decide. */
  readonly certain: readonly string[]
  /** Where one may stand: worth a look into what is at hand. */
  readonly possible: readonly string[]
}

/** Words of the API's paths that stand where ids may stand, too. */
const PATH_WORDS: ReadonlySet<string> = new Set(
  `cancel content input_items compact items messages runs steps submit_tool_outputs files file_batches search parts complete
   jobs checkpoints permissions events pause resume alpha graders run validate completions output_items versions remix
   characters calls accept hangup refer reject client_secrets sessions transcription_sessions threads input_tokens variant
   translations`.split(/\s+/),
)
const QUERY_NAME = /(?:^|_)(?:ids?|after|before)(?:\[\])?$/
/** What a conversation goes on from decides before what it only uses. */
const FIRST: ReadonlySet<string> = new Set(['previous_response_id', 'conversation'])
const CERTAIN_MAX = 16
const DEPTH_MAX = 16
const NODES_MAX = 50_000

/**
 * What stands below `/v1/` in a request target, with its query.
 *
 * @example
 * const { certain } = namedIds(pathOf(exchange.requestTarget), body)
 */
export function pathOf(target: string): string {
  return target.replace(/^\/?(?:v1\/)?/, '')
}

/**
 * The ids of objects that a request names: in its path, then in its query, then in its JSON body, wherever one stands there.
 *
 * `path` is what stands below `/v1/`, with its query.
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

/** What has been found in a body, and how much more of it is looked at: bodies are as large as callers like. */
interface Findings {
  readonly first: string[]
  readonly others: string[]
  readonly possible: string[]
  nodesLeft: number
}

/** Looks through an object or a list; `name`: of the member that it is, or is in the list of. */
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

/** Whether an object is nothing but a reference to the one that has its id. */
function isReference(value: object): boolean {
  if (Object.keys(value).length === 1) return true
  const type: unknown = 'type' in value ? value.type : undefined
  return type === 'item_reference' || type === 'file_id'
}
