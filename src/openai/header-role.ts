import { memoize } from '../formats/bounded-memo.ts'
import { foldName } from '../formats/json/fold-name.ts'
import { isModelName } from './model-names.ts'

/**
 * The fact that a header may tell a server beside the request itself: a model, another method or target than its own, or parameters that
 * replace the body's.
 */
export type HeaderRole = 'model' | 'method' | 'target' | 'parameters'

/** Headers that name another method than the request's (Express's method-override, Rack, OData). */
const METHODS: ReadonlySet<string> = new Set(['x-http-method-override', 'x-http-method', 'x-method-override'])
/** Headers that name another target: Symfony, Zend and IIS's rewriting go by these. */
const TARGETS: ReadonlySet<string> = new Set([
  'x-original-url',
  'x-rewrite-url',
  'x-original-uri',
  'x-override-url',
  'x-http-destinationurl',
])
/**
 * Headers with models and parameters that a gateway uses in place of the body's
 * (https://portkey.ai/docs/api-reference/inference-api/headers).
 */
const PARAMETERS: ReadonlySet<string> = new Set(['x-portkey-config'])
/** LiteLLM passes these on without their prefix (https://docs.litellm.ai/docs/proxy/forward_client_headers). */
const PASSED_ON = /^x-pass-/

/** Requests have few names of headers, but callers could make up more. */
const REMEMBERED = { entriesMax: 512, keyCharsMax: 64 } as const

/**
 * Gives the role of a request's header by its name, in small letters; undefined: it has none.
 * LiteLLM's proxy takes a model from `x-litellm-model` (https://docs.litellm.ai/docs/proxy/managed_batches), and others take one from
 * headers whose names have a word for a model in them.
 *
 * @example
 * headerRole('x-litellm-model') // 'model'
 */
export const headerRole: (name: string) => HeaderRole | undefined = memoize(
  (name) => find(name.replace(PASSED_ON, '')),
  REMEMBERED,
)

function find(name: string): HeaderRole | undefined {
  if (METHODS.has(name)) return 'method'
  if (TARGETS.has(name)) return 'target'
  if (PARAMETERS.has(name)) return 'parameters'
  return name.split('-').some((_part, at, parts) => isModelName(foldName(parts.slice(at).join('-'))))
    ? 'model'
    : undefined
}
