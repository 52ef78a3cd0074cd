import type { Exchange } from '../exchange/exchange.ts'
import type { JsonObject } from '../formats/json/json.ts'
import { JsonBody } from '../formats/json/json-body.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { endpointPath } from '../openai/endpoint-path.ts'
import { broughtBy, callsOf, type InnerCall, innerCalls, isBatchPurpose } from '../openai/inner-calls.ts'
import { type BodyPath, isWords } from '../openai/inner-members.ts'
import { type InnerModel, innerModels } from '../openai/inner-models.ts'
import { tooDeep } from '../params/inner-limits.ts'
import type { RuleProgram } from '../params/rules.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import { Slice } from '../timing/slices.ts'
import { assertCallNames, assertModelTold } from './one-model.ts'
import { factsOf } from './request-facts.ts'

/** A request around inner calls and models. Its own parameters are known: they are JSON, or the fields of a form. */
export interface OuterRequest {
  readonly exchange: Exchange
  readonly snapshot: Snapshot
  readonly value: JsonObject
  /** The rules for the request's own model. */
  readonly program: RuleProgram | undefined
  /** Throws where other rules refuse the request's own parameters, or would have to change them. */
  readonly checkOwn: (program: RuleProgram, param: string) => void
}

/**
 * Judges the inner calls of a request, and the models that it names in other places than `model`, where rules or models decide. Gives
 * those models. `requests/check-inner.ts` checks who may answer for them, once the route is known.
 *
 * The rules change the request's own parameters only. A request is refused where a rule would have to change something for an inner
 * model or within an inner call. Throws `rules_not_applicable`, or what the rules of that model or call throw.
 *
 * @example
 * const inner = judgeInner({ exchange, snapshot, value, program, checkOwn })
 */
export function judgeInner(outer: OuterRequest): readonly InnerModel[] {
  const { exchange, snapshot, value } = outer
  const calls = innerCalls(value)
  assertWhole(outer, calls.length > 0)
  for (const call of calls) judgeCall(call, exchange, snapshot)
  return judgeModels(outer, value)
}

/**
 * Judges a request as `judgeInner` does, where its `lists` have more calls than may be judged in one go: the event loop is free in
 * between. Also has the rules of the request's own model judge what is within; `ruled` is the body after these rules.
 *
 * Rejects as `judgeInner` throws.
 *
 * @example
 * const inner = await judgeInTurns(outer, applied.value, longLists(value))
 */
export async function judgeInTurns(
  outer: OuterRequest,
  ruled: JsonObject,
  lists: readonly string[],
): Promise<readonly InnerModel[]> {
  const { exchange, snapshot, value, program } = outer
  const without = (whole: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(whole).filter(([name]) => !lists.includes(name)))
  assertWhole(outer, true)
  program?.judgeInner?.(without(ruled))
  const rest = without(value)
  for (const call of innerCalls(rest)) judgeCall(call, exchange, snapshot)
  const models = new Map(judgeModels(outer, rest).map((one) => [one.model, one]))
  const slice = new Slice()
  for (const name of lists) {
    const list = value[name] as readonly unknown[]
    const isSaid = isWords(name, list, value)
    for (const [at, one] of list.entries()) {
      for (const call of callsOf(one, [name, at], value['endpoint'])) judgeCall(call, exchange, snapshot)
      if (!isSaid) {
        program?.judgeInner?.(one, [name, at])
        for (const found of judgeModels(outer, one, [name, at]))
          if (!models.has(found.model)) models.set(found.model, found)
      }
      if (slice.isOver()) await slice.rest()
    }
  }
  return [...models.values()]
}

/** Asserts what can be told of a body as a whole only. Throws `rules_not_applicable`. */
function assertWhole({ exchange, snapshot, value }: OuterRequest, bringsCalls: boolean): void {
  if (isBatchPurpose(value['purpose'])) assertNotInParts(exchange, snapshot)
  if (!bringsCalls) assertAddsNone(exchange, snapshot)
  if (snapshot.modelsDecide && snapshot.settings.unknownModels === 'refuse') assertModelTold(exchange, value, snapshot)
}

/** Judges the models in a body, or in a part of it. Throws as `judgeInner` does. */
function judgeModels(outer: OuterRequest, part: unknown, within?: BodyPath): readonly InnerModel[] {
  const { exchange, snapshot, program, checkOwn } = outer
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

/** Judges an inner call by the rules for its own endpoint and model. Throws as `judgeInner` does. */
function judgeCall({ body, endpoint, param }: InnerCall, exchange: Exchange, snapshot: Snapshot): void {
  const model = typeof body['model'] === 'string' ? body['model'] : undefined
  // A call in Anthropic's `messages/batches` is a call of `messages`.
  const own = endpoint ?? endpointOf(exchange.requestTarget).replace(/\/batches$/, '')
  assertCallNames(model, endpointPath(own), snapshot)
  const program = snapshot.rules.match(factsOf(exchange, model, own))
  if (program === undefined) return
  assertUnchanged(program, new JsonBody(new TextEncoder().encode(JSON.stringify(body)), body), param)
}

/**
 * Asserts that other rules leave the own parameters of a JSON body as they are. Throws `rules_not_applicable`, or what these rules throw.
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

/**
 * Whether a request may bring calls of other endpoints that rules or models restrict: in a list, or in the lines of a file.
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

/** Asserts that a batch's file is not uploaded in parts: the server can't read these as a whole. */
function assertNotInParts(exchange: Exchange, snapshot: Snapshot): void {
  if (endpointPath(endpointOf(exchange.requestTarget)) !== 'uploads' || !mayBringCalls(exchange, snapshot)) return
  throw new ApiError('rules_not_applicable', {
    message:
      "This server has rules for the calls in a batch, and can't read a file that comes in parts. Send it to /v1/files.",
    param: 'purpose',
  })
}

/** The path at which calls are added to a batch (https://docs.x.ai/docs/guides/batch-api). */
const ADDING = /^batches\/[^/]+\/requests$/

/** Asserts that a body without a list of calls adds none to a batch: it may hold them in a way that the server does not know. */
function assertAddsNone(exchange: Exchange, snapshot: Snapshot): void {
  if (!ADDING.test(endpointPath(endpointOf(exchange.requestTarget))) || !mayBringCalls(exchange, snapshot)) return
  throw new ApiError('rules_not_applicable', {
    message: "This server has rules for the calls in a batch, and can't find these in the body of this request.",
  })
}
