import { Type } from '@sinclair/typebox'
import type { RateLimit } from '../ledger/records.ts'
import { ApiError } from '../openai/api-error.ts'
import { adminRoute, idOf } from './admin-route.ts'
import { RATE_FIELDS, rateFields, rateFrom, rateId } from './limit-fields.ts'
import { CURSOR, closedFields, listObject, pageLimit } from './pages.ts'
import { changeProject, findProject, notFound } from './project-record.ts'
import { badCursor } from './record-page.ts'

/** OpenAI's default of this list alone. */
const PAGE_LIMIT_OF_RATES = 100
const RATE_LIMITS = '/organization/projects/{project_id}/rate_limits'
const RATE_LIMIT = `${RATE_LIMITS}/{rate_limit_id}`
const ID_PREFIX = rateId('')

const ListRates = closedFields({ limit: pageLimit(1000), after: CURSOR, before: CURSOR })
const UpdateRate = closedFields({
  ...RATE_FIELDS,
  max_audio_megabytes_per_1_minute: Type.Optional(Type.Integer()),
  batch_1_day_max_input_tokens: Type.Optional(Type.Integer()),
})

/** The operations on a project's rate limits. One of a model that has none yet is made by its update: its id is `rl-` and the model's name. */
export const RATE_LIMIT_ROUTES = [
  adminRoute({
    method: 'GET',
    path: RATE_LIMITS,
    query: ListRates,
    async answer({ query, ...call }, deps) {
      const { limits } = await findProject(deps, idOf(call, 'project_id'))
      const page = pageOf(limits.rates, query)
      return listObject(page, page.data.map(rateObject))
    },
  }),
  adminRoute({
    method: 'POST',
    path: RATE_LIMIT,
    body: UpdateRate,
    answer: ({ body, ...call }, deps) =>
      changeProject(deps, call, (project) => {
        refuseUncounted(body)
        const id = idOf(call, 'rate_limit_id')
        if (!id.startsWith(ID_PREFIX) || id === ID_PREFIX) throw notFound('rate limit', id)
        const { rates } = project.limits
        const before = rates.find((rate) => rate.id === id)
        const rate = rateFrom(body, before ?? { id, model: id.slice(ID_PREFIX.length) })
        const others = before === undefined ? [...rates, rate] : rates.map((one) => (one === before ? rate : one))
        return {
          after: { ...project, limits: { ...project.limits, rates: others } },
          requested: body,
          event: { type: 'rate_limit.updated', resourceId: id },
          answer: rateObject(rate),
        }
      }),
  }),
  adminRoute({
    method: 'DELETE',
    path: RATE_LIMIT,
    answer: (call, deps) =>
      changeProject(deps, call, (project) => {
        const id = idOf(call, 'rate_limit_id')
        const { rates } = project.limits
        if (!rates.some((rate) => rate.id === id)) throw notFound('rate limit', id)
        return {
          after: { ...project, limits: { ...project.limits, rates: rates.filter((rate) => rate.id !== id) } },
          requested: {},
          event: { type: 'rate_limit.deleted', resourceId: id },
          answer: { object: 'project.rate_limit.deleted', id, deleted: true },
        }
      }),
  }),
]

/** What is not counted here can't be limited: to take it in silence would be a limit that nobody has. */
function refuseUncounted(body: object): void {
  for (const param of ['max_audio_megabytes_per_1_minute', 'batch_1_day_max_input_tokens']) {
    if (!(param in body)) continue
    throw new ApiError('invalid_parameter', {
      message: `Unsupported parameter: '${param}' is not limited by this server. It limits requests, tokens and images a minute, and requests a day.`,
      param,
      code: 'unsupported_parameter',
    })
  }
}

function pageOf(
  rates: readonly RateLimit[],
  { limit = PAGE_LIMIT_OF_RATES, after, before }: { limit?: number; after?: string; before?: string },
): { data: readonly RateLimit[]; hasMore: boolean } {
  const place = (param: 'after' | 'before', cursor: string): number => {
    const at = rates.findIndex((rate) => rate.id === cursor)
    if (at === -1) throw badCursor(param, cursor)
    return at
  }
  if (before !== undefined) {
    const end = place('before', before)
    return { data: rates.slice(Math.max(end - limit, 0), end), hasMore: end > limit }
  }
  const start = after === undefined ? 0 : place('after', after) + 1
  return { data: rates.slice(start, start + limit), hasMore: rates.length > start + limit }
}

/** OpenAI's object of a rate limit. */
function rateObject(rate: RateLimit): object {
  return { object: 'project.rate_limit', id: rate.id, model: rate.model, ...rateFields(rate) }
}
