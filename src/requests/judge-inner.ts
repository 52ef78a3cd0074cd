import type { Exchange } from '../exchange/exchange.ts'
import { countKeys } from '../formats/json/equal.ts'
import { foldName } from '../formats/json/fold-name.ts'
import type { JsonObject } from '../formats/json/json.ts'
import { JsonBody } from '../formats/json/json-body.ts'
import { countMembers } from '../formats/json/skip.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { endpointPath } from '../openai/endpoint-path.ts'
import { broughtBy, type InnerCall, innerCalls, isBatchPurpose } from '../openai/inner-calls.ts'
import { type BodyPath, isWords } from '../openai/inner-members.ts'
import { type InnerModel, innerModels } from '../openai/inner-models.ts'
import { isModelName } from '../openai/model-names.ts'
import { tooDeep } from '../params/inner-limits.ts'
import { sentTwice } from '../params/refusals.ts'
import type { RuleProgram } from '../params/rules.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import { factsOf } from './request-facts.ts'

/** A request whose parameters are known, JSON or a form's fields. */
export interface Judged {
  readonly exchange: Exchange
  readonly snapshot: Snapshot
  readonly value: JsonObject
  /** The rules that it is subject to by its own model. */
  readonly program: RuleProgram | undefined
  /** Throws where other rules refuse the request's own parameters, or would have to change them. */
  readonly checkOwn: (program: RuleProgram, param: string) => void
}

/**
 * Judges what a request has in it beside its own parameters, where rules or models decide: other calls, and models in other places
 * than `model`. Gives those models; who may answer for them is known when the route is (`requests/check-inner.ts`).
 *
 * A rule is applied to the request's own parameters only: where it would have to change something for a model or a call in it, the
 * request is refused. Throws `rules_not_applicable`, or what the rules of that model or call throw.
 *
 * @example
 * const inner = judgeInner({ exchange, snapshot, value, program, checkOwn })
 */
export function judgeInner(judged: Judged): readonly InnerModel[] {
  const { exchange, snapshot, value } = judged
  const calls = innerCalls(value)
  assertWhole(judged, calls.length > 0)
  for (const call of calls) judgeCall(call, exchange, snapshot)
  return judgeModels(judged, value)
}

/** Asserts what is to be told of a body as a whole. Throws `rules_not_applicable`. */
export function assertWhole({ exchange, snapshot, value }: Judged, bringsCalls: boolean): void {
  if (isBatchPurpose(value['purpose'])) assertNotInParts(exchange, snapshot)
  if (!bringsCalls) assertAddsNone(exchange, snapshot)
  if (snapshot.modelsDecide && snapshot.settings.unknownModels === 'refuse') assertModelTold(exchange, value, snapshot)
}

/** Judges the models in a body, or in a part of it. Throws as `judgeInner` does. */
export function judgeModels(judged: Judged, part: unknown, within?: BodyPath): readonly InnerModel[] {
  const { exchange, snapshot, program, checkOwn } = judged
  if (!snapshot.modelsDecide) return []
  const models = innerModels(part, within)
  if (models === undefined) throw tooDeep()
  for (const { model, param } of models) {
    snapshot.assertSpelling?.(model)
    const other = snapshot.rules.match(factsOf(exchange, model))
    if (other !== undefined && other !== program) checkOwn(other, param)
  }
  return models
}

/** What begins an object or a list. */
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b])

/**
 * Asserts that nothing in a JSON body is hidden behind another member of the same name: the parser keeps one of them, and the other
 * one may be what the upstream reads. Throws `rules_not_applicable`.
 *
 * @example
 * assertNothingHidden(json, json.value)
 */
export function assertNothingHidden({ bytes, members }: JsonBody, value: JsonObject): void {
  const seen = new Set<string>()
  const seenWithin = new Set<string>()
  for (const { key, valueStart, valueEnd } of members) {
    const inner: unknown = value[key]
    if (isWords(key, inner, value)) continue
    const hasMore = OPENING.has(bytes[valueStart] ?? 0)
    // Of two members one may hold what the other one hides, or be the model that counts.
    if (seen.has(key) && (hasMore || seenWithin.has(key) || isModelName(foldName(key)))) throw sentTwice([key])
    seen.add(key)
    if (!hasMore) continue
    seenWithin.add(key)
    if (countMembers(bytes, valueStart, valueEnd) !== countKeys(inner)) throw sentTwice([key, '…'])
  }
}

/**
 * Asserts that a JSON body's own parameters are such as other rules leave alone. Throws `rules_not_applicable`, or what these throw.
 *
 * @example
 * assertUnchanged(program, json, 'models[0]')
 */
export function assertUnchanged(program: RuleProgram, json: JsonBody, param: string): void {
  const { edits, receipt, value } = program.apply(json)
  program.judgeInner?.(value)
  if (edits.length === 0) return
  throw new ApiError('rules_not_applicable', {
    message: `This server's rules for '${param}' would have to change this request (${receipt}), and are not applied in this place. Send what they allow, or the call by itself.`,
    param,
  })
}

/** Judges a call within a request by the rules for its own endpoint and model. Throws as `judgeInner` does. */
export function judgeCall({ body, endpoint, param }: InnerCall, exchange: Exchange, snapshot: Snapshot): void {
  const model = typeof body['model'] === 'string' ? body['model'] : undefined
  // Anthropic's `messages/batches` are of `messages`.
  const own = endpoint ?? endpointOf(exchange.requestTarget).replace(/\/batches$/, '')
  assertCallNames(model, endpointPath(own), snapshot)
  const program = snapshot.rules.match(factsOf(exchange, model, own))
  if (program === undefined) return
  assertUnchanged(program, new JsonBody(new TextEncoder().encode(JSON.stringify(body)), body), param)
}

/**
 * Whether a request may bring calls of others' endpoints that rules or models restrict: in a list, or in the lines of a file.
 *
 * @example
 * const mustBeRead = mayBringCalls(exchange, snapshot)
 */
export function mayBringCalls(exchange: Exchange, snapshot: Snapshot): boolean {
  const endpoints = broughtBy(endpointPath(endpointOf(exchange.requestTarget)))
  if (endpoints.length === 0) return false
  const { unknownModels } = snapshot.settings
  const isRuled = (endpoint: string): boolean => snapshot.rules.mayMatch(factsOf(exchange, undefined, endpoint))
  return unknownModels === 'refuse' || endpoints.some(isRuled)
}

/** A file that comes in parts can't be looked into as a whole. */
function assertNotInParts(exchange: Exchange, snapshot: Snapshot): void {
  if (endpointPath(endpointOf(exchange.requestTarget)) !== 'uploads' || !mayBringCalls(exchange, snapshot)) return
  throw new ApiError('rules_not_applicable', {
    message:
      "This server has rules for the calls in a batch, and can't read a file that comes in parts. Send it to /v1/files.",
    param: 'purpose',
  })
}

/** Where calls are added to a batch (https://docs.x.ai/docs/guides/batch-api): what is no list of them may hold them in another way. */
const ADDING = /^batches\/[^/]+\/requests$/

function assertAddsNone(exchange: Exchange, snapshot: Snapshot): void {
  if (!ADDING.test(endpointPath(endpointOf(exchange.requestTarget))) || !mayBringCalls(exchange, snapshot)) return
  throw new ApiError('rules_not_applicable', {
    message: "This server has rules for the calls in a batch, and can't find these in the body of this request.",
  })
}

/** Calls of a model: one that names none is one of whatever model its server takes then. */
const CALLS =
  /^(?:chat\/completions|completions|embeddings|responses|moderations|messages|videos|audio\/(?:speech|transcriptions|translations)|images\/(?:generations|edits|variations)|fim\/completions|rerank|ocr|classifications)$/

/**
 * Asserts that a call of a model names it where others than known ones are refused. `endpoint` is what `endpointPath` gives. Throws
 * `rules_not_applicable`.
 *
 * @example
 * assertCallNames(model, 'chat/completions', snapshot)
 */
export function assertCallNames(model: string | undefined, endpoint: string, { settings }: Snapshot): void {
  if (model !== undefined || settings.unknownModels !== 'refuse' || !CALLS.test(endpoint)) return
  throw new ApiError('rules_not_applicable', {
    message: 'This server decides on the models that may be used, and this call names none: name its model.',
    param: 'model',
  })
}

/** Objects of the upstream's that have a model of their own, as bodies name them. */
const HOLDERS = ['prompt', 'assistant_id', 'agent_id', 'agent', 'workflow', 'workflow_id']
/** Paths whose calls go by such an object where they name no model. */
const HELD = /^(?:responses|threads\/runs|threads\/[^/]+\/runs|chatkit|agents|conversations|realtime)(?:\/|$)/

/**
 * Objects of the upstream's that may put another model in place of the one that a call names: a preset of OpenRouter's
 * (https://openrouter.ai/docs/features/presets), a prompt of LiteLLM's (https://docs.litellm.ai/docs/proxy/custom_prompt_management).
 */
const OVERRIDING = ['preset', 'presetid', 'promptid']

/** A call that names no model goes by that of a prompt, an assistant or an agent, which nobody here knows. */
function assertModelTold(exchange: Exchange, value: JsonObject, snapshot: Snapshot): void {
  for (const name of Object.keys(value)) {
    if (!OVERRIDING.includes(foldName(name)) || value[name] === null) continue
    throw new ApiError('rules_not_applicable', {
      message: `This server decides on the models that may be used, and '${name}' may stand for another one that it does not know. Leave it out.`,
      param: name,
    })
  }
  if (typeof value['model'] === 'string' || exchange.named !== undefined) return
  const endpoint = endpointPath(endpointOf(exchange.requestTarget))
  const isNamed = value['model'] !== undefined && value['model'] !== null
  if (exchange.request.method === 'POST' && !isNamed) assertCallNames(undefined, endpoint, snapshot)
  if (!HELD.test(endpoint)) return
  const holder = HOLDERS.find((name) => value[name] !== undefined && value[name] !== null)
  if (holder === undefined) return
  throw new ApiError('rules_not_applicable', {
    message: `This server decides on the models that may be used, and '${holder}' has one that it does not know. Name the model, too.`,
    param: 'model',
  })
}
