import { Elysia } from 'elysia'
import type { Authorize } from '../../access/authorize.ts'
import type { Exchange } from '../../exchange/exchange.ts'
import type { Core } from '../../gateway/core.ts'
import { ApiError } from '../../openai/api-error.ts'
import { isAdministration } from '../../openai/endpoint-path.ts'
import { JSON_ENDPOINTS, type JsonEndpoint } from '../../openai/endpoints.ts'
import { RESOURCES } from '../../openai/resources.ts'
import { authMacro } from '../auth-macro.ts'

/** The dependencies of the routes. */
export type OpenaiRoutesDeps = Pick<Core, 'flow' | 'answerModels'>

/**
 * Makes a route's options. Each route needs its own object: Elysia writes the macro's result into it, and another app's would stay
 * there.
 */
const guarded = () => ({ auth: true, parse: 'none' }) as const

/**
 * Makes the routes of OpenAI's API, and of Anthropic's messages: the endpoints whose bodies are read, and all others, which pass through;
 * each with and without `/v1`. Any other path is an unknown URL, which only authorised callers are told. `hasLedger`: the administration
 * has routes of its own.
 */
export const openaiRoutes = (deps: OpenaiRoutesDeps, authorize: Authorize, hasLedger: boolean) => {
  const run = (exchange: Exchange, endpoint: JsonEndpoint | undefined): Promise<Response> => {
    exchange.endpoint = endpoint
    exchange.endpointName = endpoint?.name ?? passthroughName(exchange.requestTarget)
    return deps.flow(exchange)
  }
  const app = new Elysia({ name: 'nexcode/openai', seed: deps }).use(authMacro(authorize))
  for (const endpoint of JSON_ENDPOINTS) {
    for (const path of [`/v1${endpoint.path}`, endpoint.path]) {
      app.post(path, ({ exchange }) => run(exchange, endpoint), guarded())
    }
  }
  return app.all(
    '/*',
    ({ exchange }) => {
      const { request, requestTarget: target } = exchange
      if (!isServed(target)) throw unknownUrl(request.method, target)
      guardAdministration(exchange, hasLedger)
      const models = deps.answerModels(exchange)
      if (models === undefined) return run(exchange, undefined)
      exchange.endpointName = passthroughName(target)
      return models
    },
    guarded(),
  )
}

/** Whether a target is served: everything below `/v1/`, and known resources without it. */
export function isServed(target: string): boolean {
  if (hasVersionTwice(target)) return false
  return /^\/v1\/[^?]/.test(target) || RESOURCES.has(firstSegment(target))
}

/**
 * Refuses a request of OpenAI's Administration API that would spend this server's key: who can make keys with it needs no gateway any more.
 * Only a caller's own key goes upstream with one; with a ledger none does, for this server is what is managed. Throws `unknown_url` or
 * `missing_api_key`.
 */
export function guardAdministration({ request, requestTarget: target, principal }: Exchange, hasLedger: boolean): void {
  if (!isAdministration(target)) return
  if (hasLedger) throw unknownUrl(request.method, target)
  if (principal.kind !== 'caller') throw new ApiError('missing_api_key', { message: OWN_ADMIN_KEY })
}

const OWN_ADMIN_KEY =
  "You didn't provide an API key. The Administration API is not called with this server's key: bring an admin key of your own, or have the operator of this server give it a ledger (LEDGER), which has an administration of its own."

/**
 * Whether a client has added `/v1` to a base URL that ends with it already.
 *
 * @example
 * hasVersionTwice('/v1/v1/models') // true
 */
export function hasVersionTwice(target: string): boolean {
  return /^\/v1\/v1(?:[/?]|$)/.test(target)
}

/** Names a passthrough for the log: by a documented resource, never by an unknown word of the caller's. */
export function passthroughName(target: string): string {
  const resource = firstSegment(target.startsWith('/v1/') ? target.slice('/v1'.length) : target)
  return RESOURCES.has(resource) ? resource : 'other'
}

function firstSegment(target: string): string {
  return /^\/([^/?]*)/.exec(target)?.[1] ?? ''
}

/** Makes OpenAI's error for an unknown path, in OpenAI's words where they help. */
export function unknownUrl(method: string, target: string): ApiError {
  const path = target.split('?', 1)[0]?.slice(0, 200)
  if (hasVersionTwice(target)) {
    return new ApiError('unknown_url', {
      message: `Unknown request URL: ${method} ${path}. It has /v1 twice: your client adds /v1 to a base URL that ends with it. Take one away.`,
    })
  }
  return new ApiError('unknown_url', {
    message: `Unknown request URL: ${method} ${path}. Please check the URL for typos, or see the docs at https://platform.openai.com/docs/api-reference/.`,
  })
}
