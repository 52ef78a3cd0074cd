import { memoize } from '../formats/bounded-memo.ts'
import { endpointOf } from './endpoint-of.ts'
import { endpointPath, isPlainPath } from './endpoint-path.ts'
import { modelsInQuery } from './model-in-query.ts'
import { MODEL_ENDPOINTS } from './resources.ts'

/** A model that a request target names. */
export interface NamedModel {
  readonly model: string
  /** The same call in the usual form, with the model in the body: `/v1/chat/completions?x=1`; undefined: there is none. */
  readonly plainTarget: string | undefined
  /** Whether the target is the model itself, as in `DELETE /v1/models/{model}`. */
  readonly isObject: boolean
  /** Gives the target with another model in that place. */
  readonly withModel: (model: string) => string
}

/** The parts of a request target. */
export interface TargetReading {
  /** The endpoint as the most tolerant upstream reads it. */
  readonly endpoint: string
  /** Whether every upstream reads the same endpoint. */
  readonly isPlain: boolean
  /** The model that it names; `unclear`: it names one, but servers differ in which; undefined: none. */
  readonly named: NamedModel | 'unclear' | undefined
  /** The call of a model that some upstreams take it for, by its last words: `chat/completions`; undefined: none. */
  readonly call: string | undefined
}

/** The segments before a model's name in a path, in small letters. */
const PARENTS: ReadonlySet<string> = new Set([
  ...[
    'deployments',
    'deployment',
    'engines',
    'engine',
    'models',
    'model',
    'tunedmodels',
    'endpoints',
    'serving-endpoints',
  ],
])
/** The segments after a model's name, wherever that stands: `{model}/invocations` (Databricks, SageMaker), `{model}/converse` (Bedrock). */
const INVOKED: ReadonlySet<string> = new Set(['invocations', 'invoke', 'invoke-with-response-stream', 'converse'])
/** Segments that may follow a call, and are no ids of an object that it has made. */
const FORMS: ReadonlySet<string> = new Set(['batch', 'batches', 'stream', 'async', 'bulk', 'create', 'generate'])
/** A call of a model follows these, as in Azure's paths, and formerly in OpenAI's. */
const CALLED = /^(?:openai\/)?(?:deployments|engines)\/([^/]+)\/(.+)$/
/** Google's methods stand behind a model's name: `models/{model}:generateContent`. */
const METHOD = /:[A-Za-z]+$/

const CALL_SEGMENTS_MAX = Math.max(...Array.from(MODEL_ENDPOINTS, (call) => call.split('/').length))

/** Targets are few, except those with ids in them. */
const REMEMBERED = { entriesMax: 256, keyCharsMax: 256 } as const

/**
 * Reads a request target: its endpoint, and the model that it names in its path or query.
 *
 * @example
 * const { named } = readTarget('/v1/deployments/gpt-4o/chat/completions') // named.model === 'gpt-4o'
 */
export const readTarget: (target: string) => TargetReading = memoize(read, REMEMBERED)

function read(target: string): TargetReading {
  const written = endpointOf(target)
  const endpoint = endpointPath(written)
  const isPlain = isPlainPath(written)
  const inQuery = modelsInQuery(target)
  const segments = endpoint.split('/')
  const parentAt = segments.findIndex((segment) => PARENTS.has(segment))
  const isInPath = parentAt !== -1 && parentAt + 1 < segments.length
  const isInvoked = segments.length > 1 && INVOKED.has(segments.at(-1) ?? '')
  const call = MODEL_ENDPOINTS.has(endpoint) ? undefined : callIn(segments, isInPath ? parentAt : undefined)
  if (isInPath || isInvoked) {
    const named = isInPath && isPlain && inQuery.length === 0 ? inPath(target, written) : 'unclear'
    return { endpoint, isPlain, call, named }
  }
  const [first, ...others] = inQuery
  if (first === undefined) return { endpoint, isPlain, call, named: undefined }
  const named = { ...first, plainTarget: undefined, isObject: false }
  return { endpoint, isPlain, call, named: others.length === 0 ? named : 'unclear' }
}

/** Gives the call of a model in the last segments; if none of them is a model's name, one word is not enough. */
function callIn(segments: readonly string[], parentAt: number | undefined): string | undefined {
  const first = parentAt === undefined ? 1 : parentAt + 2
  // Several calls at once, or one in another form: `chat/completions/batch` (vLLM).
  const head = segments.slice(0, -1).join('/')
  if (FORMS.has(segments.at(-1) ?? '') && MODEL_ENDPOINTS.has(head)) return head
  // A path may have any number of segments, but a call has at most as many as the longest one.
  for (let at = Math.max(first, segments.length - CALL_SEGMENTS_MAX); at < segments.length; at += 1) {
    const tail = segments.slice(at).join('/')
    if (MODEL_ENDPOINTS.has(tail) && (parentAt !== undefined || tail.includes('/'))) return tail
  }
  return undefined
}

function inPath(target: string, written: string): NamedModel | 'unclear' {
  const pathAt = target.indexOf(written)
  const query = target.slice(pathAt + written.length)
  const [, called = '', call = ''] = CALLED.exec(written) ?? []
  if (MODEL_ENDPOINTS.has(call)) {
    const plainTarget = `/v1/${call}${query}`
    return { model: decodeURIComponent(called), plainTarget, isObject: false, withModel: () => plainTarget }
  }
  const segments = written.split('/')
  const last = segments.at(-1) ?? ''
  const isParent = (segment: string | undefined): boolean => PARENTS.has(segment?.toLowerCase() ?? '')
  if (!isParent(segments.at(-2)) || segments.slice(0, -2).some(isParent)) return 'unclear'
  const method = METHOD.exec(last)?.[0] ?? ''
  const name = last.slice(0, last.length - method.length)
  const before = target.slice(0, pathAt + written.length - last.length)
  const withModel = (model: string): string => before + encodeURIComponent(model) + method + query
  return { model: decodeURIComponent(name), plainTarget: undefined, isObject: method === '', withModel }
}
