import type { Exchange } from '../exchange/exchange.ts'
import { ApiError } from '../openai/api-error.ts'
import { isReading } from '../openai/endpoint-use.ts'
import { endpointFor } from '../openai/endpoints.ts'
import { giftOf } from '../openai/key-giving.ts'
import { shownName } from '../openai/model-not-found.ts'
import { type NamedModel, readTarget, type TargetReading } from '../openai/read-target.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import { factsOf } from './request-facts.ts'

/** The targets that tell nothing but their endpoint. Nearly all calls have one of them. */
const ORDINARY: ReadonlySet<string> = new Set(['/v1/chat/completions', '/v1/completions', '/v1/responses'])

/**
 * Reads the call that a request's target makes, where rules or models restrict requests. A path that names a model becomes the path of the
 * same call with the model in its body. A model that stands elsewhere in the target is noted in `exchange.named`.
 *
 * Throws `rules_not_applicable` for a path, or a model's name in it, that servers read in different ways. Throws `method_not_allowed` for
 * a request that would delete a model under another name than its own.
 *
 * @example
 * if (snapshot.restricts) readCall(exchange, snapshot)
 */
export function readCall(exchange: Exchange, snapshot: Snapshot): void {
  if (ORDINARY.has(exchange.requestTarget)) return
  const { request, requestTarget: target, body, isUpgrade } = exchange
  const hasParameters = body !== undefined || isUpgrade
  if (!hasParameters && isReading(request.method)) return
  const reading = readTarget(target)
  const { named } = reading
  if (!reading.isPlain && (hasParameters || named !== undefined) && isDecided(exchange, reading, snapshot))
    throw readInOtherWays()
  if (!isReading(request.method)) assertNothingGiven(exchange, reading.endpoint, snapshot)
  const isLost = hasParameters && reading.call !== undefined && isElsewhere(exchange, reading, snapshot)
  if (named === undefined || named === 'unclear') {
    if (isLost || (named === 'unclear' && snapshot.modelsDecide)) throw modelUnclear(named === 'unclear')
    return
  }
  if (named.plainTarget === undefined ? !snapshot.modelsDecide : !(snapshot.modelsDecide || isLost)) return
  noteNamed(exchange, named, snapshot)
}

function noteNamed(exchange: Exchange, named: NamedModel, snapshot: Snapshot): void {
  const { request, requestTarget: target } = exchange
  if (named.isObject && request.method === 'DELETE') assertOwnName(named.model, snapshot)
  snapshot.assertSpelling?.(named.model)
  exchange.named = named
  exchange.model = named.model
  // The limits for models in other places than a body's own hold for this model.
  snapshot.rules.match(factsOf(exchange, named.model))?.judgeInner?.({ url: { model: named.model } })
  if (named.plainTarget === undefined) return
  exchange.requestTarget = named.plainTarget
  // A rule for the written path would miss the call.
  if (snapshot.rules.misses(factsOf(exchange, undefined), readTarget(target).endpoint)) throw modelUnclear(true)
  exchange.endpoint = endpointFor(request.method, named.plainTarget)
  if (exchange.endpoint !== undefined) exchange.endpointName = exchange.endpoint.name
}

/**
 * Asserts that a request asks for no key or session of the upstream: its owner could evade all rules. A session names its model when it is
 * made, so it is refused by rules only. Throws `rules_not_applicable`.
 */
function assertNothingGiven(exchange: Exchange, endpoint: string, snapshot: Snapshot): void {
  const gift = giftOf(endpoint)
  if (gift === undefined) return
  const { unknownModels, params } = snapshot.settings
  const isRuled = [endpoint, 'realtime'].some((path) => snapshot.rules.mayMatch(factsOf(exchange, undefined, path)))
  const isAnyRefused = unknownModels === 'refuse' && gift !== 'session'
  if (!(isAnyRefused || isRuled || (gift === 'any_key' && params.length > 0))) return
  const what = gift === 'session' ? 'a session' : 'a key'
  throw new ApiError('rules_not_applicable', {
    message: `This request asks for ${what} of the upstream's own, to which the rules that this server has for models and parameters would not apply. Make the calls themselves here.`,
  })
}

/**
 * Asserts that a request deletes a model by its own name: a name that stands for another model deletes that one. Throws
 * `method_not_allowed`.
 */
function assertOwnName(model: string, snapshot: Snapshot): void {
  if (snapshot.router.route(model).deployments.every((deployment) => (deployment.model ?? model) === model)) return
  const shown = shownName(model)
  throw new ApiError('method_not_allowed', {
    message: `The model \`${shown}\` is this server's name for another one. It can't be deleted by that.`,
  })
}

/** Whether models decide, or a rule may match the request as any upstream may read it. */
function isDecided(exchange: Exchange, { endpoint, call }: TargetReading, snapshot: Snapshot): boolean {
  if (snapshot.modelsDecide) return true
  const readAs = (path: string): boolean => snapshot.rules.mayMatch(factsOf(exchange, undefined, path))
  return readAs(endpoint) || (call !== undefined && readAs(call))
}

/**
 * Whether the call after other words of a path may be one that the rules for the written path miss, or a call of a model among these
 * words, where the server refuses unknown models.
 */
function isElsewhere(exchange: Exchange, { call = '', named }: TargetReading, snapshot: Snapshot): boolean {
  if (named === undefined && snapshot.settings.unknownModels === 'refuse') return true
  return snapshot.rules.misses(factsOf(exchange, undefined), call)
}

function readInOtherWays(): ApiError {
  return new ApiError('rules_not_applicable', {
    message:
      'This server has rules for the model or the parameters of this request, and servers read its path in different ways. Send the path as the API reference spells it: no escapes or capitals in its words, no empty segments, no slash at its end, nothing behind a semicolon.',
  })
}

function modelUnclear(isNamed: boolean): ApiError {
  const what = isNamed ? 'its URL names a model in a way that' : 'its path is one that'
  return new ApiError('rules_not_applicable', {
    message: `This server has rules for the model or the parameters of this request, and ${what} servers read differently. Send the call to the path that the API reference has for it, with the model in the body.`,
    param: 'model',
  })
}
