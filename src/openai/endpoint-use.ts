import { BoundedMemo } from '../formats/bounded-memo.ts'
import { ENDPOINT_TABLE, type EndpointRow, type ModelUsage } from './endpoint-table.ts'
import { PathTree } from './path-tree.ts'
import { readTarget } from './read-target.ts'
import { RESOURCES } from './resources.ts'

/** What a request to an endpoint is to limits and to the books. */
export interface EndpointUse {
  /** As its row of the table says; what is in no row is `closed`. */
  readonly kind: EndpointRow['kind']
  /**
   * How it is counted: as a call of a model; as one that makes an object (`made`); as an object that was made before, whose cost its answer tells
   * now; by what its answer tells alone (`told`), and where that is nothing only if it is closed; or not at all.
   */
  readonly counted: 'call' | 'made' | 'object' | 'told' | 'nothing'
  /** Its name in the books: `audio/speech`; `other`: it is none of the API's. Only words of the table, so that there are few. */
  readonly name: string
  /** The kind of its usage; undefined: it is no call of a model. */
  readonly usage: ModelUsage | undefined
  /** Why it is closed to budgets; undefined: it is open. */
  readonly why: string | undefined
  /** The model of a call that names none; undefined: its server decides. */
  readonly defaultModel: string | undefined
  /** Whether it writes nothing that is billed. */
  readonly isReadOnly: boolean
  /** Which of the path's segments is the id of its object, from 0; -1: none. */
  readonly idAt: number
}

/** The methods that make nothing. */
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])
const UNKNOWN = 'this server does not know what it costs'
const SEGMENTS_MAX = 32
/** Targets are few, but for those with ids in them. */
const REMEMBERED = { entriesMax: 512, keyCharsMax: 256 } as const

const NOTHING_KNOWN: EndpointUse = {
  kind: 'closed',
  counted: 'nothing',
  name: 'other',
  usage: undefined,
  why: UNKNOWN,
  defaultModel: undefined,
  isReadOnly: false,
  idAt: -1,
}

const TREE = new PathTree<EndpointUse>()
/** Calls of models by their paths. */
const CALLS = new Map<string, EndpointUse>()
/** Nearly all calls have one of these targets. */
const ORDINARY = new Map<string, EndpointUse>()
for (const row of ENDPOINT_TABLE) {
  for (const path of row.paths) {
    const use = useOf(row, path.split('/'))
    TREE.add(row.method, path, use)
    if (row.kind !== 'call') continue
    CALLS.set(path, use)
    ORDINARY.set(`/v1/${path}`, use)
  }
}
const MODEL_RESOURCES = new Set([...Array.from(CALLS.keys(), (path) => path.split('/', 1)[0] ?? ''), 'realtime'])
const CALL_SEGMENTS_MAX = Math.max(...Array.from(CALLS.keys(), (path) => path.split('/').length))

const remembered = new BoundedMemo<EndpointUse>(REMEMBERED)

/**
 * Whether a method makes nothing: `GET`, `HEAD`, `OPTIONS`.
 *
 * @example
 * isReading('HEAD') // true
 */
export function isReading(method: string): boolean {
  return READING.has(method)
}

/**
 * Tells what a request is, in whatever spelling an upstream might read it: a call that hides in another path is that call, and what nobody
 * knows is closed.
 *
 * @example
 * endpointUse('POST', '/v1/audio/speech').usage // 'audio_speeches'
 * endpointUse('POST', '/v1/engines/gpt-4o/completions').counted // 'call'
 */
export function endpointUse(method: string, target: string): EndpointUse {
  if (method === 'POST') {
    const ordinary = ORDINARY.get(target)
    if (ordinary !== undefined) return ordinary
  }
  const key = `${method} ${target}`
  return remembered.get(key) ?? remembered.set(key, readUse(method, target))
}

/** What of a request decides what it is. */
interface UsingRequest {
  readonly request: { readonly method: string }
  readonly requestTarget: string
  readonly isUpgrade: boolean
  readonly body: unknown
}

/**
 * The same of a request with all that it has: frames of a WebSocket are posted, and the body of a GET may make a call of it, be it by a header
 * that gives it another method.
 *
 * @example
 * const { counted } = useOfRequest(exchange)
 */
export function useOfRequest({ request: { method }, requestTarget, isUpgrade, body }: UsingRequest): EndpointUse {
  if (isUpgrade) return endpointUse('POST', requestTarget)
  const use = endpointUse(method, requestTarget)
  if (body === undefined || method === 'POST' || use.counted === 'call') return use
  const posted = endpointUse('POST', requestTarget)
  return posted.counted === 'call' ? hidden(posted) : use
}

/**
 * Gives a call of a model by its path below `/v1/`, as `endpointPath` gives it, which is its name in the books, too; undefined: it is none.
 *
 * @example
 * callAt('images/edits')?.defaultModel // 'dall-e-2'
 */
export function callAt(path: string): EndpointUse | undefined {
  return CALLS.get(path)
}

/**
 * Whether what is made at a resource, the first segment of a path, is mostly asked of a model: OpenAI has one scope for all of these.
 *
 * @example
 * isModelResource('images') // true
 */
export function isModelResource(resource: string): boolean {
  return MODEL_RESOURCES.has(resource)
}

function readUse(method: string, target: string): EndpointUse {
  const { endpoint, call, named, isPlain } = readTarget(target)
  const segments = endpoint.split('/')
  const makes = !READING.has(method) && method !== 'DELETE'
  const known = TREE.find(method === 'HEAD' ? 'GET' : method, segments)
  if (known?.kind === 'closed') return makes ? known : { ...known, counted: 'nothing' }
  // An upstream that reads an odd path in another way may find a call in it.
  if (known !== undefined && (isPlain || known.kind !== 'free' || !makes)) return known
  const inside = call === undefined ? callWithin(segments) : CALLS.get(call)
  if (known !== undefined && inside === undefined) return known
  if (inside !== undefined && makes) {
    const isServed = known === undefined && call !== undefined && method === 'POST'
    return isServed ? inside : hidden(inside)
  }
  if (method === 'OPTIONS') return { ...NOTHING_KNOWN, kind: 'free', why: undefined }
  const [first = ''] = segments
  const name = RESOURCES.has(first) ? first : 'other'
  // Google's and Bedrock's calls have their model in the path: `models/{model}:generateContent`.
  if (named !== undefined && method === 'POST') return { ...NOTHING_KNOWN, name, usage: 'completions', counted: 'call' }
  return { ...NOTHING_KNOWN, name, counted: makes ? 'told' : 'nothing' }
}

/** A call at a path, or by a method, that is not its own. */
function hidden(call: EndpointUse): EndpointUse {
  return { ...call, kind: 'closed', why: UNKNOWN }
}

/** Gives the first call of a model whose path is a part of another one. No server looks for it behind very many segments. */
function callWithin(segments: readonly string[]): EndpointUse | undefined {
  const most = Math.min(segments.length, SEGMENTS_MAX)
  for (let from = 0; from < most; from += 1) {
    for (let length = CALL_SEGMENTS_MAX; length > 0; length -= 1) {
      const found = CALLS.get(segments.slice(from, from + length).join('/'))
      if (found !== undefined) return found
    }
  }
  return undefined
}

function useOf(row: EndpointRow, segments: readonly string[]): EndpointUse {
  const idAt = segments.findIndex((segment) => segment.startsWith('{'))
  const end = segments.findIndex((segment) => segment.startsWith('{') || segment === '**')
  const name = (end === -1 ? segments : segments.slice(0, end)).join('/')
  const use = { ...NOTHING_KNOWN, kind: row.kind, name, why: undefined, counted: countedOf(row), idAt }
  if (row.kind === 'closed') return { ...use, why: row.why }
  if (row.kind !== 'call') return use
  const { usage, defaultModel, isReadOnly = false } = row
  return { ...use, usage, defaultModel, isReadOnly }
}

function countedOf(row: EndpointRow): EndpointUse['counted'] {
  if (row.kind === 'call') return 'call'
  if (row.kind === 'closed') return row.isBookedLater === true ? 'made' : 'told'
  if (row.kind === 'free') return row.mayTell === true ? 'told' : 'nothing'
  return 'object'
}
