import type { AdminCaller } from '../access/authorize-admin.ts'
import { isJsonObject } from '../formats/json/json.ts'
import { LedgerError } from '../ledger/ledger.ts'
import { LimiterError } from '../ledger/limiter.ts'
import { ApiError } from '../openai/api-error.ts'
import { SERVICE_ACCOUNT_ROUTES } from './accounts.ts'
import { ADMIN_KEY_ROUTES } from './admin-keys.ts'
import type { AdminDeps, AdminRoute } from './admin-route.ts'
import { AUDIT_LOG_ROUTES } from './audit-log.ts'
import { checkFields } from './check-fields.ts'
import { COST_ROUTES } from './costs.ts'
import { MODEL_PERMISSION_ROUTES } from './model-permissions.ts'
import { OWN_KEY_ROUTE } from './own-key.ts'
import { PROJECT_KEY_ROUTES } from './project-keys.ts'
import { PROJECT_ROUTES } from './projects.ts'
import { RATE_LIMIT_ROUTES } from './rate-limits.ts'
import { readQuery } from './read-query.ts'
import { SPEND_ALERT_ROUTES } from './spend-alerts.ts'
import { SPEND_LIMIT_ROUTES } from './spend-limits.ts'
import { USAGE_ROUTES } from './usage.ts'

/** A request below `/organization`. */
export interface AdminRequest {
  readonly method: string
  /** Path and query, with or without `/v1` in front. */
  readonly target: string
  readonly caller: AdminCaller
  /** Reads the body as JSON; undefined: there is none. Rejects with an `ApiError`. */
  readonly readBody: () => Promise<unknown>
}

/** All that is served; of two that fit a path, the first is meant. */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  OWN_KEY_ROUTE,
  ...PROJECT_ROUTES,
  ...SERVICE_ACCOUNT_ROUTES,
  ...PROJECT_KEY_ROUTES,
  ...RATE_LIMIT_ROUTES,
  ...MODEL_PERMISSION_ROUTES,
  ...SPEND_LIMIT_ROUTES,
  ...SPEND_ALERT_ROUTES,
  ...ADMIN_KEY_ROUTES,
  ...AUDIT_LOG_ROUTES,
  ...USAGE_ROUTES,
  ...COST_ROUTES,
]

const SEGMENTS = new Map(ADMIN_ROUTES.map((route) => [route, route.path.split('/').slice(1)]))

/**
 * Answers a request of OpenAI's Administration API from the ledger. Rejects with an `ApiError`.
 *
 * @example
 * const object = await administer({ method, target, caller, readBody }, deps)
 */
export async function administer(request: AdminRequest, deps: AdminDeps): Promise<object> {
  const { method, target, caller, readBody } = request
  const path = segmentsOf(target)
  const fitting = ADMIN_ROUTES.filter((route) => paramsOf(route, path) !== undefined)
  const route = fitting.find((one) => one.method === method)
  if (caller.kind === 'key' && route?.isForCallers !== true) throw missingScope(method)
  if (route === undefined) throw fitting.length === 0 ? notServed(method, target) : wrongMethod(method, target)
  const query = readQuery(route.query, target)
  const body = method === 'POST' ? checkFields(route.body, await objectOf(readBody)) : {}
  const params = paramsOf(route, path) ?? {}
  try {
    return await route.answer({ params, query: query as never, body: body as never, caller }, deps)
  } catch (thrown) {
    if (thrown instanceof LedgerError || thrown instanceof LimiterError)
      throw new ApiError('ledger_unavailable', { cause: thrown })
    throw thrown
  }
}

/** The body; none is as good as an empty one. */
async function objectOf(readBody: AdminRequest['readBody']): Promise<object> {
  const body = (await readBody()) ?? {}
  if (!isJsonObject(body)) throw new ApiError('invalid_json')
  return body
}

/** The decoded segments of a target's path below `/v1`. */
function segmentsOf(target: string): readonly string[] {
  const [path = ''] = target.split('?', 1)
  return path
    .replace(/^\/v1(?=\/)/, '')
    .replace(/\/$/, '')
    .split('/')
    .slice(1)
    .map(decode)
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** The ids of a path, where it is one of a route. */
function paramsOf(route: AdminRoute, path: readonly string[]): Record<string, string> | undefined {
  const segments = SEGMENTS.get(route) ?? []
  if (segments.length !== path.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, segment] of segments.entries()) {
    const written = path[index] ?? ''
    const name = /^\{(\w+)\}$/.exec(segment)?.[1]
    if (name === undefined ? segment !== written : written === '') return undefined
    if (name !== undefined) params[name] = written
  }
  return params
}

/** OpenAI's words for a key that may not manage. */
function missingScope(method: string): ApiError {
  const scope = method === 'GET' || method === 'HEAD' ? 'api.management.read' : 'api.management.write'
  return new ApiError('admin_key_needed', {
    message: `You have insufficient permissions for this operation. Missing scopes: ${scope}. This is a key for calls: it can look at itself, at /v1/organization/projects/me/api_keys/me, and only an admin key can manage.`,
  })
}

function notServed(method: string, target: string): ApiError {
  const path = target.split('?', 1)[0]?.slice(0, 200)
  return new ApiError('not_administered', {
    message: `Unknown request URL: ${method} ${path}. Of the Administration API this server has projects with their service accounts, API keys, rate limits, model permissions, spend limit and spend alerts; admin API keys, the organization's spend limit and spend alerts, usage, costs and audit logs. It has no users, groups, roles, invites or certificates.`,
  })
}

function wrongMethod(method: string, target: string): ApiError {
  return new ApiError('method_not_allowed', {
    message: `Not allowed to ${method} on ${target.split('?', 1)[0]?.slice(0, 200)}. (HINT: Perhaps you meant to use a different HTTP method?)`,
  })
}
