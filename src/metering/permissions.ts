import type { Exchange } from '../exchange/exchange.ts'
import { isJsonObject, type JsonObject } from '../formats/json/json.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { endpointPath } from '../openai/endpoint-path.ts'
import { isReading, useOfRequest } from '../openai/endpoint-use.ts'
import { modelNotFound, shownName } from '../openai/model-not-found.ts'
import { readTarget } from '../openai/read-target.ts'
import type { CallerLimits } from './caller-limits.ts'
import { missingScope } from './key-scopes.ts'

/** What a caller's permissions are asked about. Models that a request names elsewhere are asked about where they are found. */
export interface NamedCall {
  /** As the caller names it; undefined: it names none. */
  readonly model: string | undefined
  /** The body where that is JSON, and has been read. */
  readonly value: unknown
}

/**
 * Asserts that a caller may use the endpoint of a request; its body is not needed for that. Throws `endpoint_not_permitted`.
 *
 * @example
 * assertEndpointPermitted(limits, exchange)
 */
export function assertEndpointPermitted(limits: CallerLimits, exchange: Exchange): void {
  const { request, requestTarget, isUpgrade } = exchange
  if (limits.scopes !== undefined) assertScope(limits.scopes, isUpgrade ? 'POST' : request.method, requestTarget)
  const isClosed = limits.hasBudget || (isUpgrade && limits.countsUse)
  if (!limits.namesEndpoints && !limits.needsModel && !isClosed) return
  const path = endpointPath(endpointOf(requestTarget))
  // What models a key may use it may always ask.
  if (isReading(request.method) && !isUpgrade && /^(?:models|engines)(?:\/|$)/.test(path)) return
  const { why, counted } = useOfRequest(exchange)
  if (limits.namesEndpoints) {
    if (!limits.permitsEndpoint(path)) throw notPermitted(path)
    if (!limits.restrictsModels) return
  } else if (isClosed) {
    const closing = isUpgrade ? whyUnheard(requestTarget, path, why) : why
    if (closing !== undefined) throw notMetered(limits, path, closing)
  }
  if (counted !== 'call') return
  // The model of a call at a path that nobody knows may be one of its segments.
  const { named } = readTarget(requestTarget)
  if (named === 'unclear' || (why !== undefined && named === undefined)) throw notKnown(path)
}

/** Why the responses of a WebSocket can't be counted; undefined: they can, each as it is asked for. */
function whyUnheard(target: string, path: string, why: string | undefined): string | undefined {
  if (path === 'responses') return undefined
  if (path !== 'realtime') return why ?? 'what is said on its WebSocket is not read'
  const named = readTarget(target).named
  if (named === undefined || named === 'unclear') return 'the URL of the session does not name its model'
  return new URLSearchParams(target.slice(target.indexOf('?'))).get('intent') === 'transcription'
    ? 'what is written down of a session is billed apart from any response'
    : undefined
}

/**
 * Asserts that a caller may make a call whose endpoint is permitted: its model, and what its body alone says. Throws
 * `endpoint_not_permitted`, `rules_not_applicable` where nobody knows the model, and `model_not_found` in the words that an unknown one gets.
 *
 * @example
 * assertCallPermitted(limits, exchange, { model, value })
 */
export function assertCallPermitted(limits: CallerLimits, exchange: Exchange, { model, value }: NamedCall): void {
  const named = model ?? modelAsked(exchange)
  if (named === undefined) assertModelNeedless(limits, exchange)
  else if (!limits.permitsModel(named)) throw modelNotFound(named)
  if (!isJsonObject(value)) return
  if (limits.namesEndpoints) {
    const { endpoint } = value
    if (typeof endpoint === 'string') assertInner(limits, exchange, endpointPath(endpointOf(endpoint)))
  } else if (limits.hasBudget) {
    const why = whyClosed(exchange, value)
    if (why !== undefined) throw notMetered(limits, endpointPath(endpointOf(exchange.requestTarget)), why)
  }
}

/** Asserts that a key has a scope for a request. Throws `endpoint_not_permitted` in OpenAI's words. */
function assertScope(scopes: readonly string[], method: string, target: string): void {
  const missing = missingScope(scopes, method, endpointPath(endpointOf(target)))
  if (missing === undefined) return
  throw new ApiError('endpoint_not_permitted', {
    message: `You have insufficient permissions for this operation. Missing scopes: ${shownName(missing)}. The operator of this server decides by the \`scopes\` of your key.`,
  })
}

/** Asserts that the calls in a batch are of an endpoint that is permitted. */
function assertInner(limits: CallerLimits, { requestTarget }: Exchange, path: string): void {
  if (endpointPath(endpointOf(requestTarget)).startsWith('batch') && !limits.permitsEndpoint(path))
    throw notPermitted(path)
}

/** Asserts that it does not matter which model a request asks for. Each frame of a WebSocket is asked about by itself. */
function assertModelNeedless({ restrictsModels }: CallerLimits, exchange: Exchange): void {
  if (!restrictsModels || exchange.isUpgrade || useOfRequest(exchange).counted !== 'call') return
  throw new ApiError('rules_not_applicable', {
    message: 'Your key may use some models only, and this call names none: name its model.',
    param: 'model',
  })
}

/** The model that a request asks about, or wants to delete, by its path; in small letters where that is not written as the API has it. */
function modelAsked({ requestTarget }: Exchange): string | undefined {
  const written = endpointOf(requestTarget)
  const path = written.startsWith('models/') ? written : endpointPath(written)
  const [, asked] = /^(?:models|engines)\/(.*[^/])/.exec(path) ?? []
  if (asked === undefined) return undefined
  try {
    return decodeURIComponent(asked)
  } catch {
    return asked
  }
}

/** Why what a body asks for can't be counted; undefined: it can. */
function whyClosed(exchange: Exchange, value: JsonObject): string | undefined {
  // At OpenAI a conversation is only kept; at other servers (Mistral) a model answers at once.
  const { kind, counted } = useOfRequest(exchange)
  const asksModel = kind === 'free' && counted === 'told' && ASKING.some((name) => value[name] !== undefined)
  return asksModel ? ASKS_MODEL : undefined
}

/** The members by which a conversation asks a model or an agent. */
const ASKING = ['model', 'agent_id', 'inputs'] as const
const ASKS_MODEL = 'it asks a model beside what the API reference says'

function notMetered(limits: CallerLimits, path: string, why: string): ApiError {
  const limit = limits.hasBudget ? 'a spend limit' : 'a limit on tokens'
  return new ApiError('endpoint_not_permitted', {
    message: `Your key has ${limit}, and what a call of \`/v1/${shownPath(path)}\` costs can't be counted: ${why}. The operator of this server may permit it by name in the \`endpoints\` of your key.`,
  })
}

function notPermitted(path: string): ApiError {
  return new ApiError('endpoint_not_permitted', {
    message: `Your key may not use \`/v1/${shownPath(path)}\`. The operator of this server decides by the \`endpoints\` of your key and its project.`,
  })
}

function notKnown(path: string): ApiError {
  return new ApiError('endpoint_not_permitted', {
    message: `Your key has limits that go by the model, and at \`/v1/${shownPath(path)}\` servers may read another one than this server does. Send the call to the path that the API reference has for it, with the model in its body.`,
  })
}

/** The words of a path; what stands between them may be an id. */
function shownPath(path: string): string {
  return path.split('/', 2).map(shownName).join('/')
}
