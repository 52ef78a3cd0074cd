/** How a service that speaks OpenAI's protocol spells what OpenAI spells in another way. */
export interface Dialect {
  /** What stands in its paths where OpenAI has `/v1`, such as `/v1beta/openai`; may be empty. */
  readonly basePath: string
  /** The header that its key is in; lower case. In `authorization` it stands behind `Bearer`. */
  readonly keyHeader: string
  /** Whether calls of a model go to `/deployments/{model}/…`, and every URL has an `api-version` (Azure). */
  readonly hasDeployments: boolean
}

/** OpenAI's own. */
export const OPENAI_DIALECT: Dialect = { basePath: '/v1', keyHeader: 'authorization', hasDeployments: false }

const MODEL_CALL = /^\/(?:chat\/completions|completions|embeddings|images\/|audio\/)/
const DEPLOYMENT = /^\/deployments\/[^/]+(\/.+)$/

/** OpenAI's path for one of a dialect; undefined: the dialect has no such path. */
export function openaiPath(path: string, query: URLSearchParams, dialect: Dialect): string | undefined {
  const { basePath, hasDeployments } = dialect
  if (!path.startsWith(`${basePath}/`)) return undefined
  const rest = path.slice(basePath.length)
  if (!hasDeployments) return `/v1${rest}`
  if (!query.has('api-version')) return undefined
  const called = DEPLOYMENT.exec(rest)?.[1]
  if (called !== undefined) return MODEL_CALL.test(called) ? `/v1${called}` : undefined
  return MODEL_CALL.test(rest) ? undefined : `/v1${rest}`
}
