import type { HeadKind } from '../exchange/arrival.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { isJsonObject, type Json } from '../formats/json/json.ts'
import { ApiError } from '../openai/api-error.ts'
import { isReading } from '../openai/endpoint-use.ts'
import { type HeaderRole, headerRole } from '../openai/header-role.ts'
import { type InnerModel, innerModels } from '../openai/inner-models.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import { factsOf } from './request-facts.ts'

const NO_MODELS: readonly InnerModel[] = []
/** The heads that none of these headers is in: a client sends the same head again and again. */
const plainHeads = new WeakSet<HeadKind>()

/**
 * Reads the headers that some servers obey in place of the request itself, where rules or models restrict requests. Gives the models in
 * these headers; `requests/check-inner.ts` checks that the route may serve each of them.
 *
 * Throws `rules_not_applicable` for a header that gives the request another method, another target or other parameters, and for a model
 * with other rules than the request's own. Throws `model_not_found` for a model in another spelling.
 *
 * @example
 * const models = snapshot.restricts ? readHeaders(exchange, snapshot) : []
 */
export function readHeaders(exchange: Exchange, snapshot: Snapshot, isUpgrade = false): readonly InnerModel[] {
  const { headers, method } = exchange.request
  const { headKind } = exchange
  if (headKind !== undefined && plainHeads.has(headKind)) return NO_MODELS
  const asks = exchange.body !== undefined || isUpgrade || !isReading(method)
  let models = NO_MODELS
  let hasRoles = false
  headers.forEach((value, name) => {
    const role = headerRole(name)
    if (role === undefined) return
    hasRoles = true
    if (role === 'method' && value.trim().toUpperCase() === method) return
    if (role !== 'model') throw otherRequest(name, role)
    if (asks && snapshot.modelsDecide) models = [...models, ...modelsIn(value, name)]
  })
  if (!hasRoles && headKind !== undefined) plainHeads.add(headKind)
  if (models.length > 0) assertSameRules(models, exchange, snapshot)
  return models
}

/** Reads the models in a header: one name, several with commas between them, or the JSON that a body would have in that place. */
function modelsIn(value: string, param: string): readonly InnerModel[] {
  if (/^\s*[[{"]/.test(value)) {
    const parsed = valueIn(value)
    const models = isJsonObject(parsed) ? innerModels(parsed) : []
    return [...(innerModels({ models: parsed }) ?? []), ...(models ?? [])].map(({ model }) => ({ model, param }))
  }
  return value
    .split(',')
    .map((one) => one.trim())
    .filter((model) => model !== '')
    .map((model) => ({ model, param }))
}

/** Parses JSON, and gives any other text as it is. */
function valueIn(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

/**
 * Asserts that the models in headers have the rules of the request's own model: the rules are applied by that one, and a server may take
 * either.
 */
function assertSameRules(models: readonly InnerModel[], exchange: Exchange, snapshot: Snapshot): void {
  const own = snapshot.rules.match(factsOf(exchange, exchange.model))
  for (const { model, param } of models) {
    snapshot.assertSpelling?.(model)
    const other = snapshot.rules.match(factsOf(exchange, model))
    other?.judgeInner?.({ header: { model } })
    if (other === own) continue
    throw new ApiError('rules_not_applicable', {
      message: `This server has rules for the model in the header '${param}', and applies them to the model of a request only. Name it there.`,
      param,
    })
  }
}

function otherRequest(name: string, role: Exclude<HeaderRole, 'model'>): ApiError {
  return new ApiError('rules_not_applicable', {
    message: `This server decides on the model or the parameters of this request, and the header '${name}' gives it ${role === 'parameters' ? 'other parameters' : `another ${role}`} for some servers. Leave it out.`,
    param: name,
  })
}
