import { isJsonObject } from '../../formats/json/json.ts'
import { showDollars } from './amounts.ts'
import type { AdminObject } from './ask-admin.ts'

const RATES: readonly (readonly [field: string, words: string])[] = [
  ['max_requests_per_1_minute', 'requests/min'],
  ['max_tokens_per_1_minute', 'tokens/min'],
  ['max_images_per_1_minute', 'images/min'],
  ['max_requests_per_1_day', 'requests/day'],
]

/**
 * Says in words what limits an object of a key or a project has; none: `no limits`.
 *
 * @example
 * describeLimits(key) // '$50.00/month, 60 requests/min, only gpt-4o*'
 */
export function describeLimits(object: AdminObject): string {
  const { spend_limit, rate_limits, model_permissions, endpoints, concurrency } = object
  const all = [
    ...budgetsIn(spend_limit),
    ...(Array.isArray(rate_limits) ? rate_limits.flatMap(ratesIn) : []),
    ...(typeof concurrency === 'number' ? [`${concurrency} at once`] : []),
    ...modelsIn(model_permissions),
    ...(Array.isArray(endpoints) ? [`at ${endpoints.join(' ')}`] : []),
  ]
  return all.length === 0 ? 'no limits' : all.join(', ')
}

/**
 * Says what is spent in each window that has a limit.
 *
 * @example
 * describeSpend(key) // '$1.20 of $50.00/month'
 */
export function describeSpend({ spend }: AdminObject): string {
  if (!Array.isArray(spend)) return ''
  return spend
    .filter(isJsonObject)
    .map(
      ({ spent, limit, window }) =>
        `${showDollars(Number(spent) / 100)} of ${showDollars(Number(limit) / 100)}/${String(window)}`,
    )
    .join(', ')
}

function budgetsIn(limit: unknown): readonly string[] {
  if (!isJsonObject(limit)) return []
  return ['day', 'week', 'month', 'total'].flatMap((window) => {
    const cents = limit[window]
    return typeof cents === 'number'
      ? [`${showDollars(cents / 100)}${window === 'total' ? ' in total' : `/${window}`}`]
      : []
  })
}

function ratesIn(rate: unknown): readonly string[] {
  if (!isJsonObject(rate)) return []
  const model = rate['model'] === '*' ? '' : ` of ${String(rate['model'])}`
  return RATES.flatMap(([field, words]) => {
    const limit = rate[field]
    return typeof limit === 'number' ? [`${limit} ${words}${model}`] : []
  })
}

function modelsIn(permissions: unknown): readonly string[] {
  if (!isJsonObject(permissions) || !Array.isArray(permissions['model_ids'])) return []
  const names = permissions['model_ids'].join(' ')
  return [permissions['mode'] === 'deny_list' ? `not ${names}` : `only ${names}`]
}
