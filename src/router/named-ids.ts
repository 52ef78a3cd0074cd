import { isJsonObject } from '../json/json.ts'
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
 * The ids of objects that a request names: in its path, then in its query, then in its JSON body, wherever one stands there.
 *
 * `path` is what stands below `/v1/`, with its query.
 *
 * @example
 * const { certain } = namedIds('responses/resp_1/cancel', undefined)
 */
export function namedIds(path: string, body: unknown): NamedIds {
  const certain: string[] = []
  const possible: string[] = []
  const [resourcePath = '', query = ''] = path.replace(/^\/?(?:v1\/)?/, '').split('?', 2)
  for (const segment of resourcePath.split('/').slice(1)) {
    if (segment.length > 1 && !PATH_WORDS.has(segment)) certain.push(decode(segment))
  }
  for (const parameter of query === '' ? [] : query.split('&')) {
    const [name = '', value = ''] = parameter.split('=', 2)
    if (value !== '' && QUERY_NAME.test(name)) certain.push(decode(value))
  }
  if (isJsonObject(body) || Array.isArray(body)) walk(body, certain, possible)
  return { certain: certain.filter(isShort).slice(0, CERTAIN_MAX), possible: possible.filter(isShort) }
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

/** A value in a body, and the name of the member that it is, or is in the list of. */
interface Place {
  readonly value: object
  readonly name: string
  readonly depth: number
}

/** Not recursive, and ends: bodies are as deep and as large as callers like. */
function walk(body: object, certain: string[], possible: string[]): void {
  const first: string[] = []
  const others: string[] = []
  const places: Place[] = [{ value: body, name: '', depth: 0 }]
  for (let at = 0; at < places.length && at < NODES_MAX; at += 1) {
    const place = places[at]
    if (place === undefined) break
    const { value, depth } = place
    const isList = Array.isArray(value)
    for (const [key, member] of Object.entries(value) as [string, unknown][]) {
      const name = isList ? place.name : key
      if (typeof member === 'object' && member !== null) {
        if (depth < DEPTH_MAX && (isList || !isOwnWords(name))) places.push({ value: member, name, depth: depth + 1 })
      } else if (typeof member === 'string' && namesObject(name)) {
        if (FIRST.has(name) || (name === 'id' && FIRST.has(place.name))) first.push(member)
        else if (name !== 'id' || isReference(value)) others.push(member)
        else possible.push(member)
      }
    }
  }
  certain.push(...first, ...others)
}

/** Whether an object is nothing but a reference to the one that has its id. */
function isReference(value: object): boolean {
  if (Object.keys(value).length === 1) return true
  const type: unknown = 'type' in value ? value.type : undefined
  return type === 'item_reference' || type === 'file_id'
}
