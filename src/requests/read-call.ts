import type { Principal } from '../access/authorize.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointFor, type JsonEndpoint } from '../openai/endpoints.ts'
import { giftOf } from '../openai/key-giving.ts'
import { type NamedModel, readTarget, type TargetReading } from '../openai/read-target.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import { factsOf } from './request-facts.ts'

/** Targets that say nothing but their endpoint: nearly all calls have one of these. */
const ORDINARY: ReadonlySet<string> = new Set(['/v1/chat/completions', '/v1/completions', '/v1/responses'])
/** Without a body these make nothing, and call nothing. */
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])
const CHARS_SHOWN_MAX = 100

/**
 * Reads what a request's target says of its call, where rules or models have a say in that: a path that names a model is the call
 * of that model which all others make with the model in the body, and becomes that one; a model that is named elsewhere in the
 * target is noted in `exchange.named`. Gives the endpoint that it is then.
 *
 * Throws `rules_not_applicable` for a path, or a model's name in it, that servers read in different ways, and `method_not_allowed`
 * for what would delete a model under another name than its own.
 *
 * @example
 * const endpoint = snapshot.restricts ? readCall(exchange, principal, wanted, snapshot) : wanted
 */
export function readCall(
  exchange: Exchange,
  principal: Principal,
  endpoint: JsonEndpoint | undefined,
  snapshot: Snapshot,
  isUpgrade = false,
): JsonEndpoint | undefined {
  if (ORDINARY.has(exchange.requestTarget)) return endpoint
  const { request, requestTarget: target, body } = exchange
  const hasParameters = body !== undefined || isUpgrade
  if (!hasParameters && READING.has(request.method)) return endpoint
  const reading = readTarget(target)
  const { named } = reading
  if (!reading.isPlain && (hasParameters || named !== undefined) && isDecided(exchange, principal, reading, snapshot))
    throw readInOtherWays()
  if (!READING.has(request.method)) assertNothingGiven(exchange, principal, reading.endpoint, snapshot)
  const isLost = hasParameters && reading.call !== undefined && isElsewhere(exchange, principal, reading, snapshot)
  if (named === undefined || named === 'unclear') {
    if (isLost || (named === 'unclear' && snapshot.modelsDecide)) throw modelUnclear(named === 'unclear')
    return endpoint
  }
  if (named.plainTarget === undefined ? !snapshot.modelsDecide : !(snapshot.modelsDecide || isLost)) return endpoint
  return noteNamed(exchange, principal, named, endpoint, snapshot)
}

function noteNamed(
  exchange: Exchange,
  principal: Principal,
  named: NamedModel,
  endpoint: JsonEndpoint | undefined,
  snapshot: Snapshot,
): JsonEndpoint | undefined {
  const { request, requestTarget: target } = exchange
  if (named.isObject && request.method === 'DELETE') assertOwnName(named.model, snapshot)
  snapshot.assertSpelling?.(named.model)
  exchange.named = named
  exchange.model = named.model
  // By the limits for models that stand elsewhere than in a body's own place.
  snapshot.rules.match(factsOf(exchange, principal, named.model))?.judgeInner?.({ url: { model: named.model } })
  if (named.plainTarget === undefined) return endpoint
  exchange.requestTarget = named.plainTarget
  // A rule for the path as it is written would not see the call.
  if (snapshot.rules.misses(factsOf(exchange, principal, undefined), readTarget(target).endpoint))
    throw modelUnclear(true)
  const called = endpointFor(request.method, named.plainTarget)
  if (called !== undefined) exchange.endpointName = called.route
  return called
}

/**
 * Whoever gets a key or a session of the upstream's goes past all rules with it. A session's model is told when it is made, so that
 * where only models decide it may be had.
 */
function assertNothingGiven(exchange: Exchange, principal: Principal, endpoint: string, snapshot: Snapshot): void {
  const gift = giftOf(endpoint)
  if (gift === undefined) return
  const { unknownModels, params } = snapshot.settings
  const isRuled = [endpoint, 'realtime'].some((path) =>
    snapshot.rules.mayMatch(factsOf(exchange, principal, undefined, path)),
  )
  const isAnyRefused = unknownModels === 'refuse' && gift !== 'session'
  if (!(isAnyRefused || isRuled || (gift === 'any_key' && params.length > 0))) return
  const what = gift === 'session' ? 'a session' : 'a key'
  throw new ApiError('rules_not_applicable', {
    message: `This request asks for ${what} of the upstream's own, to which the rules that this server has for models and parameters would not apply. Make the calls themselves here.`,
  })
}

/** What would delete a model by a name that stands for another one deletes more than it says. */
function assertOwnName(model: string, snapshot: Snapshot): void {
  if (snapshot.router.route(model).deployments.every((deployment) => (deployment.model ?? model) === model)) return
  const shown = model.slice(0, CHARS_SHOWN_MAX)
  throw new ApiError('method_not_allowed', {
    message: `The model \`${shown}\` is this server's name for another one. It can't be deleted by that.`,
  })
}

/** Whether a rule may fit the request, as any upstream may read it, or its model decides. */
function isDecided(
  exchange: Exchange,
  principal: Principal,
  { endpoint, call }: TargetReading,
  snapshot: Snapshot,
): boolean {
  if (snapshot.modelsDecide) return true
  const readAs = (path: string): boolean => snapshot.rules.mayMatch(factsOf(exchange, principal, undefined, path))
  return readAs(endpoint) || (call !== undefined && readAs(call))
}

/**
 * Whether a call behind other words of a path may be one that rules for it, as it is written, don't see; or one of a model that stands
 * among these words, where a model has to be known.
 */
function isElsewhere(
  exchange: Exchange,
  principal: Principal,
  { call = '', named }: TargetReading,
  snapshot: Snapshot,
): boolean {
  if (named === undefined && snapshot.settings.unknownModels === 'refuse') return true
  return snapshot.rules.misses(factsOf(exchange, principal, undefined), call)
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
