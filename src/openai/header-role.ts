import { memoize } from '../formats/bounded-memo.ts'
import { foldName } from '../formats/json/fold-name.ts'
import { isModelName } from './model-names.ts'

/**
 * What a header may tell a server beside the request itself: which model, another method or target than its own, or parameters that
 * take the place of the body's.
 */
export type HeaderRole = 'model' | 'method' | 'target' | 'parameters'

/** Another method than that of the request (Express's method-override, Rack, OData). */
const METHODS: ReadonlySet<string> = new Set(['x-http-method-override', 'x-http-method', 'x-method-override'])
/** Another target: Symfony, Zend and IIS's rewriting go by these. */
const TARGETS: ReadonlySet<string> = new Set([
  'x-original-url',
  'x-rewrite-url',
  'x-original-uri',
  'x-override-url',
  'x-http-destinationurl',
])
/** Models and parameters that a gateway puts in place of the body's own (https://portkey.ai/docs/api-reference/inference-api/headers). */
const PARAMETERS: ReadonlySet<string> = new Set(['x-portkey-config'])
/** LiteLLM's passes on what stands behind it (https://docs.litellm.ai/docs/proxy/forward_client_headers). */
const PASSED_ON = /^x-pass-/

/** Names of headers are few; callers could make up more. */
const REMEMBERED = { entriesMax: 512, keyCharsMax: 64 } as const

/**
 * What a request's header of that name, in small letters, may tell a server beside the request; undefined: nothing of the kind.
 * LiteLLM's proxy takes a model from `x-litellm-model` (https://docs.litellm.ai/docs/proxy/managed_batches), and so do others from headers
 * of other names that have a word for a model in them.
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
