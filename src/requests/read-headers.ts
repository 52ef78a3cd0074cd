import type { Exchange } from '../exchange/exchange.ts'
import { isJsonObject, type Json } from '../formats/json/json.ts'
import { ApiError } from '../openai/api-error.ts'
import { type HeaderRole, headerRole } from '../openai/header-role.ts'
import { type InnerModel, innerModels } from '../openai/inner-models.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import { factsOf } from './request-facts.ts'

const NO_MODELS: readonly InnerModel[] = []
/** Without a body these ask no model for anything. */
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Reads what a request's headers say that some server goes by in place of the request itself, where rules or models have a say: gives the
 * models in them, each of which has to be one that may be asked for where the request goes (`requests/check-inner.ts`).
 *
 * Throws `rules_not_applicable` for a header that gives the request another method, another target or other parameters, and for a model
 * that other rules hold for than the request's own; `model_not_found` for a model in another spelling.
 *
 * @example
 * const models = snapshot.restricts ? readHeaders(exchange, snapshot) : []
 */
export function readHeaders(exchange: Exchange, snapshot: Snapshot, isUpgrade = false): readonly InnerModel[] {
  const { headers, method } = exchange.request
  const asks = exchange.body !== undefined || isUpgrade || !READING.has(method)
  let models = NO_MODELS
  headers.forEach((value, name) => {
    const role = headerRole(name)
    if (role === undefined || (role === 'method' && value.trim().toUpperCase() === method)) return
    if (role !== 'model') throw otherRequest(name, role)
    if (asks && snapshot.modelsDecide) models = [...models, ...modelsIn(value, name)]
  })
  if (models.length > 0) assertSameRules(models, exchange, snapshot)
  return models
}

/** A header may have one name, several behind commas, or what a body would have in that place. */
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

/** JSON, or the text as it is. */
function valueIn(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

/** Rules are applied by the request's own model, and what a header says goes before it, or behind. */
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
