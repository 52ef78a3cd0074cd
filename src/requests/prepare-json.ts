import type { Exchange } from '../exchange/exchange.ts'
import type { Edit } from '../formats/json/edit.ts'
import { isJsonObject } from '../formats/json/json.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { endpointPath } from '../openai/endpoint-path.ts'
import { longLists } from '../openai/inner-calls.ts'
import type { InnerModel } from '../openai/inner-models.ts'
import { modelOf, wantsStream, withDefaultModel, withModel } from '../params/default-model.ts'
import { notAnObject } from '../params/refusals.ts'
import type { Applied, RuleProgram } from '../params/rules.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import { type JsonChanges, JsonOutgoingBody } from './json-outgoing-body.ts'
import { assertUnchanged, judgeInner, judgeInTurns, mayBringCalls } from './judge-inner.ts'
import { assertModelIsText, assertOneModel, assertSameModel, isPlainCall } from './one-model.ts'
import { assertNothingHidden, assertNotInQuery, assertOneReading, hasTwoCodings } from './one-reading.ts'
import type { OutgoingBody } from './outgoing-body.ts'
import { readMembers } from './read-members.ts'
import { factsOf } from './request-facts.ts'

const NO_EDITS: readonly Edit[] = []
const NO_INNER: readonly InnerModel[] = []
const UNCHANGED: JsonChanges = { isChanged: false }
/** The paths whose requests are about one model. */
const MODEL_CALLS = /^(?:audio|chat|completions|embeddings|images|messages|moderations|responses|videos)(?:\/|$)/

/**
 * Makes the outgoing body of a chat or text completion, which has to be a JSON object. `defaultModel` is put in where the body names no
 * model; undefined: the assumed model of the snapshot is put in, for OpenAI only.
 *
 * Throws, or rejects with, the `ApiError` of what is wrong with the body.
 *
 * @example
 * return prepareCompletion(exchange, snapshot, body, config.defaultModel)
 */
export function prepareCompletion(
  exchange: Exchange,
  snapshot: Snapshot,
  read: JsonBody,
  defaultModel: string | undefined,
): OutgoingBody | Promise<OutgoingBody> {
  // The upstream judges the rest of its form.
  if (!isJsonObject(read.outline)) throw new ApiError('invalid_json')
  // The default model is OpenAI's word for a completion of its own API.
  const isOpenAi = exchange.endpoint?.protocol === 'openai'
  if (exchange.named !== undefined || !isOpenAi) return prepareJson(exchange, snapshot, read)
  const model = defaultModel ?? snapshot.assumedModel
  const json = model === undefined ? read : withDefaultModel(read, model)
  const isChanged = json !== read
  const received = isChanged && defaultModel === undefined ? read : undefined
  return applyRules(exchange, snapshot, json, { isChanged, received })
}

/**
 * Makes the outgoing body of a JSON body. Where the path of the request names the model of a call that usually has it in its body, the
 * body gets that model.
 *
 * Throws, or rejects with, the `ApiError` of what is wrong with the body.
 *
 * @example
 * return prepareJson(exchange, snapshot, await readJson(exchange, limits))
 */
export function prepareJson(
  exchange: Exchange,
  snapshot: Snapshot,
  read: JsonBody,
): OutgoingBody | Promise<OutgoingBody> {
  const { named } = exchange
  if (named?.plainTarget === undefined) return applyRules(exchange, snapshot, read, UNCHANGED)
  assertOneModel(read)
  const json = withModel(read, named.model)
  return applyRules(exchange, snapshot, json, { isChanged: json !== read })
}

/** Applies the parameter rules to a body whose model is settled. `changes` tells what was done to the body before. */
function applyRules(
  exchange: Exchange,
  snapshot: Snapshot,
  json: JsonBody,
  changes: JsonChanges,
): OutgoingBody | Promise<OutgoingBody> {
  const inBody = modelOf(json.outline)
  assertSameModel(inBody, exchange.named)
  const model = inBody ?? exchange.named?.model
  exchange.model = model
  exchange.stream = wantsStream(json.outline)
  if (inBody !== undefined) snapshot.assertSpelling?.(inBody)
  if (snapshot.needsModel) {
    // Each item of a list may be a call of its own.
    if (snapshot.settings.unknownModels === 'refuse' && !isJsonObject(json.outline)) throw notAnObject('model')
    assertOneModel(json)
    if (MODEL_CALLS.test(endpointPath(endpointOf(exchange.requestTarget)))) assertModelIsText(json)
  }
  const program = snapshot.settings.params.length === 0 ? undefined : snapshot.rules.match(factsOf(exchange, model))
  const ruled = { exchange, snapshot, model, program, changes }
  if (json.unread === undefined || !(snapshot.restricts || snapshot.needsModel)) return judgeBody(ruled, json)
  const reading = readMembers(json, { rules: snapshot.rules, isJudged: isJudged(ruled) })
  return reading instanceof Promise ? reading.then((read) => judgeBody(ruled, read)) : judgeBody(ruled, reading)
}

/** A request whose own model and rules are known. */
interface RuledRequest {
  readonly exchange: Exchange
  readonly snapshot: Snapshot
  readonly model: string | undefined
  readonly program: RuleProgram | undefined
  readonly changes: JsonChanges
}

/** Judges a body of which all is read that rules and models decide by, and applies the rules to it. */
function judgeBody(ruled: RuledRequest, json: JsonBody): OutgoingBody | Promise<OutgoingBody> {
  const { exchange, snapshot, model, program, changes } = ruled
  if (program === undefined && !snapshot.needsModel) {
    if (!snapshot.restricts) return new JsonOutgoingBody(json, model, NO_EDITS, changes)
    const make = (inner: readonly InnerModel[] | undefined): OutgoingBody =>
      new JsonOutgoingBody(json, model, NO_EDITS, inner === undefined ? changes : { ...changes, inner })
    const inner = innerOf(ruled, json)
    return inner instanceof Promise ? inner.then(make) : make(inner)
  }
  const { headers } = exchange.request
  assertOneReading(headers, json, program)
  assertNotInQuery(exchange.requestTarget, program)
  // The rules are noted before they are applied: a refusal tells which rules it may come from.
  exchange.rules = program?.rules
  const applied = program?.apply(json)
  if (applied !== undefined) exchange.params = applied.receipt
  const isDecoded = json.encoded !== undefined && hasTwoCodings(headers)
  const { received } = changes
  const make = (inner: readonly InnerModel[] | undefined): OutgoingBody => {
    const all =
      applied !== undefined || isDecoded || inner !== undefined
        ? { received, inner, applied, isChanged: changes.isChanged || isDecoded }
        : changes
    return new JsonOutgoingBody(json, model, applied?.edits ?? NO_EDITS, all)
  }
  const inner = snapshot.restricts ? innerOf(ruled, json, applied) : undefined
  return inner instanceof Promise ? inner.then(make) : make(inner)
}

/** Whether the calls and models within a body are judged. */
function isJudged({ exchange, snapshot, program }: RuledRequest): boolean {
  return snapshot.modelsDecide || program?.judgeInner !== undefined || mayBringCalls(exchange, snapshot)
}

/** Judges all calls and models within a JSON body, and gives those models; undefined: nothing decides about them. */
function innerOf(
  ruled: RuledRequest,
  json: JsonBody,
  applied?: Applied,
): readonly InnerModel[] | Promise<readonly InnerModel[]> | undefined {
  const { exchange, snapshot, program } = ruled
  const value = json.outline
  if (!isJsonObject(value) || !isJudged(ruled)) return undefined
  if (program === undefined && isPlainCall(json, value)) return NO_INNER
  assertNothingHidden(json, value)
  const checkOwn = (other: RuleProgram, param: string): void => assertUnchanged(other, json, param)
  const outer = { exchange, snapshot, value, program, checkOwn }
  const lists = longLists(value)
  if (lists.length > 0) return judgeInTurns(outer, applied?.value ?? value, lists)
  if (applied !== undefined) program?.judgeInner?.(applied.value)
  return judgeInner(outer)
}
