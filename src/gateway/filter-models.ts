import { collect } from '../exchange/collect-bytes.ts'
import { isJsonObject } from '../formats/json/json.ts'
import { ApiError } from '../openai/api-error.ts'
import { readTarget } from '../openai/read-target.ts'
import { parseJson } from '../requests/parse-json.ts'

/** The longest list that is read. A longer one would keep all others waiting. */
const LIST_BYTES_MAX = 4 * 1024 * 1024
/** The list, and what it was called formerly. */
const LISTS: ReadonlySet<string> = new Set(['models', 'engines'])

/**
 * Whether a request asks for the list of models, in whatever spelling an upstream might read it.
 *
 * @example
 * listsModels('GET', '/v1/models') // true
 */
export function listsModels(method: string, target: string): boolean {
  return method === 'GET' && LISTS.has(readTarget(target).endpoint)
}

/**
 * Leaves those models out of an upstream's list that a caller may not use. Rejects with `upstream_invalid_response` where the answer is no
 * such list: nothing of it is shown then.
 *
 * @example
 * const answer = await filterModels(given, (model) => limits.permitsModel(model))
 */
export async function filterModels(answer: Response, permits: (model: string) => boolean): Promise<Response> {
  if (!answer.ok || answer.body === null) return answer
  const { value } = await parseJson(await collect(answer.body, LIST_BYTES_MAX))
  if (!isJsonObject(value) || !Array.isArray(value['data']))
    throw new ApiError('upstream_invalid_response', { cause: 'no list of models' })
  const data = (value['data'] as readonly unknown[]).filter(
    (one) => isJsonObject(one) && typeof one['id'] === 'string' && permits(one['id']),
  )
  const bytes = new TextEncoder().encode(JSON.stringify({ ...value, data }))
  const headers = new Headers(answer.headers)
  headers.set('content-length', String(bytes.byteLength))
  headers.delete('transfer-encoding')
  const { status, statusText } = answer
  return new Response(bytes, { status, statusText, headers })
}
