import { endpointUse, isModelResource, isReading } from '../openai/endpoint-use.ts'

/** OpenAI's older spellings have no `api.` in front. */
const PREFIX = /^api\./

/**
 * The scope that a key lacks for a request, by OpenAI's scopes; undefined: it has one that suffices. `path` is what `endpointPath` gives.
 *
 * `api.all` is for all, `api.all.read` for all that makes nothing, `api.model.request` for calls of models, `api.model.images.request` and the
 * like for one kind of them, `api.files.read` and `api.files.write` for files, and so on for each resource. Write is for reading, too.
 *
 * @example
 * missingScope(['api.files.read'], 'POST', 'files') // 'api.files.write'
 */
export function missingScope(scopes: readonly string[], method: string, path: string): string | undefined {
  const isRead = isReading(method)
  const { counted, name: called } = endpointUse(method, `/v1/${path}`)
  // A call that hides in another path is that call.
  const [resource = ''] = (counted === 'call' ? called : path).split('/', 1)
  const name = resource === 'models' ? 'model' : resource
  const [needed, ...others] =
    isModelResource(resource) && !isRead
      ? ['model.request', `model.${resource}.request`, `${resource}.write`]
      : isRead
        ? [`${name}.read`, `${name}.write`]
        : [`${name}.write`]
  const sufficient = new Set(['all', ...(isRead ? ['all.read', 'all.write'] : ['all.write']), needed, ...others])
  return scopes.some((scope) => sufficient.has(scope.replace(PREFIX, ''))) ? undefined : `api.${needed}`
}
