import type { Exchange } from '../exchange/exchange.ts'
import { isJsonObject } from '../formats/json/json.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { endpointPath } from '../openai/endpoint-path.ts'
import { modelNotFound } from '../openai/model-not-found.ts'
import type { CallerLimits } from './caller-limits.ts'
import { whyUnmetered } from './closed-endpoints.ts'

/** What a caller's permissions are asked about. Models that a request names elsewhere are asked about where they are found. */
export interface NamedCall {
  /** As the caller names it; undefined: it names none. */
  readonly model: string | undefined
  /** The body where that is JSON, and has been read. */
  readonly value: unknown
}

const NAME_CHARS_SHOWN = 100
/** The methods that make nothing. */
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Asserts that a caller may make a request: its endpoint, and that of the calls in a batch, and its model. Throws `endpoint_not_permitted`, and
 * `model_not_found` in the words that an unknown model gets.
 *
 * @example
 * assertPermitted(limits, exchange, { model, value })
 */
export function assertPermitted(limits: CallerLimits, exchange: Exchange, { model, value }: NamedCall): void {
  if (limits.namesEndpoints || limits.hasBudget || (exchange.isUpgrade && limits.countsUse)) {
    assertEndpoint(limits, exchange, value)
  }
  if (!limits.restrictsModels) return
  const named = model ?? modelAsked(exchange)
  if (named !== undefined && !limits.permitsModel(named)) throw modelNotFound(named)
}

/** The model that a request asks about, or wants to delete, by its path. */
function modelAsked({ requestTarget }: Exchange): string | undefined {
  const endpoint = endpointOf(requestTarget)
  if (!endpoint.startsWith('models/')) return undefined
  const written = endpoint.slice('models/'.length).replace(/\/$/, '')
  try {
    return decodeURIComponent(written)
  } catch {
    return written
  }
}

function assertEndpoint(limits: CallerLimits, { request, requestTarget, isUpgrade }: Exchange, value: unknown): void {
  const path = endpointPath(endpointOf(requestTarget))
  const isReading = READING.has(request.method) && !isUpgrade
  // What models a key may use it may always ask.
  if (isReading && (path === 'models' || path.startsWith('models/'))) return
  const body = isJsonObject(value) ? value : undefined
  if (limits.namesEndpoints) {
    if (!limits.permitsEndpoint(path)) throw notPermitted(path)
    const inner = body?.['endpoint']
    if (typeof inner === 'string' && path.startsWith('batch')) {
      const innerPath = endpointPath(endpointOf(inner))
      if (!limits.permitsEndpoint(innerPath)) throw notPermitted(innerPath)
    }
    return
  }
  const why = whyUnmetered(request.method, path) ?? (body?.['background'] === true ? WORKS_ON : undefined)
  if (why === undefined) return
  throw new ApiError('endpoint_not_permitted', {
    message: `Your key has ${limits.hasBudget ? 'a spend limit' : 'a limit on tokens'}, and what a call of \`/v1/${shownPath(path)}\` costs can't be counted: ${why}. The operator of this server may permit it by name in the \`endpoints\` of your key.`,
  })
}

const WORKS_ON = 'a response in the background goes on behind its answer, and is counted only when it is fetched'

function notPermitted(path: string): ApiError {
  return new ApiError('endpoint_not_permitted', {
    message: `Your key may not use \`/v1/${shownPath(path)}\`. The operator of this server decides by the \`endpoints\` of your key and its project.`,
  })
}

/** The words of a path; what stands between them may be an id. */
function shownPath(path: string): string {
  return path
    .split('/', 2)
    .map((part) => part.slice(0, NAME_CHARS_SHOWN))
    .join('/')
}
