import { type Static, Type } from '@sinclair/typebox'
import type { Limits, ModelPermissions, RateLimit, SpendLimits } from '../ledger/records.ts'
import { CENTS_MAX, centsOf, nanosOf } from './cents.ts'
import { closedFields, oneOf, orNull } from './pages.ts'

/** Stands for "no limit" where OpenAI's objects must have a number. As much or more is taken as no limit. */
export const NO_LIMIT = 2_147_483_647

const cents = () => orNull(Type.Number({ minimum: 0, maximum: CENTS_MAX }))
const count = () => orNull(Type.Integer({ minimum: 0 }))
const modelName = () => Type.String({ minLength: 1, maxLength: 256 })

/** The rates that are limited, by OpenAI's names. */
export const RATE_FIELDS = {
  max_requests_per_1_minute: count(),
  max_tokens_per_1_minute: count(),
  max_images_per_1_minute: count(),
  max_requests_per_1_day: count(),
}
type RateFields = { readonly [N in keyof typeof RATE_FIELDS]?: number | null | undefined }

/** The models that may be used, by OpenAI's names. A name may have wildcards. */
export const MODEL_FIELDS = {
  mode: oneOf(['allow_list', 'deny_list']),
  model_ids: Type.Array(modelName(), { maxItems: 1000 }),
}

/** The limits of a key or a project, as fields of its object: those that OpenAI has none for are ours. Money is in cents. */
export const LIMIT_FIELDS = {
  spend_limit: orNull(
    closedFields({
      currency: Type.Optional(oneOf(['USD'])),
      day: cents(),
      week: cents(),
      month: cents(),
      total: cents(),
    }),
  ),
  rate_limits: orNull(Type.Array(closedFields({ model: modelName(), ...RATE_FIELDS }), { maxItems: 1000 })),
  model_permissions: orNull(closedFields(MODEL_FIELDS)),
  endpoints: orNull(Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { minItems: 1, maxItems: 100 })),
  concurrency: orNull(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
}
type LimitFields = Partial<{ readonly [N in keyof typeof LIMIT_FIELDS]: Static<(typeof LIMIT_FIELDS)[N]> }>

/** Names of a spend limit's windows. */
export const SPEND_WINDOWS = ['day', 'week', 'month', 'total'] as const

/**
 * Takes limits over from the fields of a request: one that is absent stays as it was, null takes it away. Of `spend_limit` each window is
 * one.
 *
 * @example
 * const limits = limitsFrom(body, NO_LIMITS)
 */
export function limitsFrom(fields: LimitFields, before: Limits): Limits {
  const { rate_limits, model_permissions, endpoints, concurrency } = fields
  const { spend, rates, ...rest } = before
  const models = replaced(rest.models, model_permissions, modelsFrom)
  const paths = replaced(rest.endpoints, endpoints, (paths) => paths.map((path) => path.replace(/^\/(?:v1\/)?/, '')))
  const places = replaced(rest.concurrency, concurrency, (places) => places)
  return {
    spend: spendFrom(fields.spend_limit, spend),
    rates:
      replaced(rates, rate_limits, (limits) =>
        limits.map(({ model, ...fields }) => rateFrom(fields, { id: rateId(model), model })),
      ) ?? [],
    ...(models !== undefined && { models }),
    ...(paths !== undefined && { endpoints: paths }),
    ...(places !== undefined && { concurrency: places }),
    ...(rest.scopes !== undefined && { scopes: rest.scopes }),
  }
}

function replaced<T, F>(before: T | undefined, field: F | null | undefined, read: (field: F) => T): T | undefined {
  if (field === undefined) return before
  return field === null ? undefined : read(field)
}

function spendFrom(fields: LimitFields['spend_limit'], before: SpendLimits): SpendLimits {
  if (fields === undefined) return before
  if (fields === null) return {}
  return Object.fromEntries(
    SPEND_WINDOWS.flatMap((window) => {
      const limit = replaced(before[window], fields[window], nanosOf)
      return limit === undefined ? [] : [[window, limit]]
    }),
  )
}

/** The models of a policy's fields. */
export function modelsFrom({
  mode,
  model_ids,
}: {
  mode: ModelPermissions['mode']
  model_ids: readonly string[]
}): ModelPermissions {
  return { mode, models: model_ids }
}

/** The id of the rate limit of a model. */
export function rateId(model: string): string {
  return `rl-${model}`
}

/** Takes rates over from fields; what is absent stays, null and `NO_LIMIT` take it away. */
export function rateFrom(fields: RateFields, before: RateLimit): RateLimit {
  const { id, model } = before
  const rate = (now: number | null | undefined, then: number | undefined): number | undefined =>
    now === undefined ? then : now === null || now >= NO_LIMIT ? undefined : now
  const requestsPerMinute = rate(fields.max_requests_per_1_minute, before.requestsPerMinute)
  const tokensPerMinute = rate(fields.max_tokens_per_1_minute, before.tokensPerMinute)
  const imagesPerMinute = rate(fields.max_images_per_1_minute, before.imagesPerMinute)
  const requestsPerDay = rate(fields.max_requests_per_1_day, before.requestsPerDay)
  return {
    id,
    model,
    ...(requestsPerMinute !== undefined && { requestsPerMinute }),
    ...(tokensPerMinute !== undefined && { tokensPerMinute }),
    ...(imagesPerMinute !== undefined && { imagesPerMinute }),
    ...(requestsPerDay !== undefined && { requestsPerDay }),
  }
}

/** The rates as fields of an object; OpenAI's must have the first two. */
export function rateFields({ requestsPerMinute, tokensPerMinute, imagesPerMinute, requestsPerDay }: RateLimit) {
  return {
    max_requests_per_1_minute: requestsPerMinute ?? NO_LIMIT,
    max_tokens_per_1_minute: tokensPerMinute ?? NO_LIMIT,
    ...(imagesPerMinute !== undefined && { max_images_per_1_minute: imagesPerMinute }),
    ...(requestsPerDay !== undefined && { max_requests_per_1_day: requestsPerDay }),
  }
}

/**
 * Limits as fields of an object. What is not limited is null.
 *
 * @example
 * return { id, ...limitFields(record.limits) }
 */
export function limitFields({ spend, rates, models, endpoints, concurrency }: Limits) {
  const inCents = (nanos: bigint | undefined): number | null => (nanos === undefined ? null : centsOf(nanos))
  const [day, week, month, total] = SPEND_WINDOWS.map((window) => inCents(spend[window]))
  return {
    spend_limit: Object.keys(spend).length === 0 ? null : { currency: 'USD', day, week, month, total },
    rate_limits: rates.map((rate) => ({
      model: rate.model,
      max_requests_per_1_minute: rate.requestsPerMinute ?? null,
      max_tokens_per_1_minute: rate.tokensPerMinute ?? null,
      max_images_per_1_minute: rate.imagesPerMinute ?? null,
      max_requests_per_1_day: rate.requestsPerDay ?? null,
    })),
    model_permissions: models === undefined ? null : { mode: models.mode, model_ids: models.models },
    endpoints: endpoints ?? null,
    concurrency: concurrency ?? null,
  }
}
