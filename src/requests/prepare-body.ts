import type { Exchange } from '../exchange/exchange.ts'
import { mayBeJsonRequest } from '../formats/http/media-types.ts'
import type { Edit } from '../formats/json/edit.ts'
import { isJsonObject } from '../formats/json/json.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { endpointPath } from '../openai/endpoint-path.ts'
import { longLists } from '../openai/inner-calls.ts'
import type { InnerModel } from '../openai/inner-models.ts'
import { wordsOfValue } from '../openai/json-type-words.ts'
import { STATEFUL_RESOURCES } from '../openai/resources.ts'
import { modelOf, wantsStream, withDefaultModel, withModel } from '../params/default-model.ts'
import { notAnObject } from '../params/refusals.ts'
import type { Applied, RequestFacts, RuleProgram } from '../params/rules.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import { judgeInTurns } from './judge-in-turns.ts'
import { assertNothingHidden, assertUnchanged, judgeInner, mayBringCalls } from './judge-inner.ts'
import { assertNotInQuery, assertOneReading, hasTwoCodings } from './one-reading.ts'
import {
  assertOneModel,
  assertSameModel,
  bodyAsIs,
  type JsonChanges,
  JsonOutgoingBody,
  type OutgoingBody,
} from './outgoing-body.ts'
import { type Compared, isLongerThan, PASSES, type PassDeps, type passBody, passUnlessBatch } from './pass-body.ts'
import { notReadable, prepareForm } from './prepare-form.ts'
import { readBytes } from './read-bytes.ts'
import { parseBody, readJson } from './read-json.ts'
import { factsOf } from './request-facts.ts'

/** What reading a request needs. */
export interface PrepareBodyDeps extends PassDeps {
  /** Put in where a completion names no model; undefined: what is assumed of OpenAI's, for OpenAI only. */
  readonly defaultModel: string | undefined
}

const NO_EDITS: readonly Edit[] = []
/** Forms that name a model, by how their paths begin; the forms of other paths are uploads. */
const MODEL_FORMS = /^(?:audio|images|videos)(?:\/|$)/
/** Paths whose bodies are somebody's files, or are about these. */
const UPLOADS = /^(?:files|uploads|containers|skills)(?:\/|$)/
/** Paths whose requests are about one model. */
const MODEL_CALLS = /^(?:audio|chat|completions|embeddings|images|moderations|responses|videos)(?:\/|$)/
/**
 * Reads as much of a request's body as is to be decided on, and applies the parameter rules to it.
 *
 * An `endpoint` has a body that is always read and checked. All others pass through as they come, unless a rule may
 * match them, or their model, or an object that they name, decides where they go. A body to which a rule that matches can't be applied is refused.
 *
 * With `compared` all of it is read in any case, where it is not too large, but not refused for what it says.
 *
 * Throws, or rejects with, the `ApiError` of what is wrong with the body.
 */
export function prepareBody(
  exchange: Exchange,
  snapshot: Snapshot,
  deps: PrepareBodyDeps,
  compared: Compared = 'none',
): OutgoingBody | Promise<OutgoingBody> {
  if (exchange.endpoint === undefined) {
    return readOther(exchange, snapshot, deps, PASSES[compared])
  }
  // What came with the head is there at once: a promise for each step would cost more than the step.
  const body = exchange.json ?? readJson(exchange, deps.reading)
  const make = (read: JsonBody): OutgoingBody | Promise<OutgoingBody> => {
    // Whether the rest is right, the upstream knows.
    if (!isJsonObject(read.value)) throw new ApiError('invalid_json')
    if (exchange.named !== undefined) return prepareRead(exchange, snapshot, read)
    const put = deps.defaultModel ?? snapshot.assumedModel
    const json = put === undefined ? read : withDefaultModel(read, put)
    const isChanged = json !== read
    const received = isChanged && deps.defaultModel === undefined ? read : undefined
    return prepareJson(exchange, snapshot, json, { isChanged, received })
  }
  return body instanceof Promise ? body.then(make) : make(body)
}

/** The outgoing body of a body whose model may be named in its request's path: such a call is that of all others, and its body, too. */
function prepareRead(exchange: Exchange, snapshot: Snapshot, read: JsonBody): OutgoingBody | Promise<OutgoingBody> {
  const { named } = exchange
  if (named?.plainTarget === undefined) return prepareJson(exchange, snapshot, read, UNCHANGED)
  assertOneModel(read)
  const json = withModel(read, named.model)
  return prepareJson(exchange, snapshot, json, { isChanged: json !== read })
}

/** Asserts that a model that decides is a text. */
function assertModelIsText({ value }: JsonBody): void {
  const model = isJsonObject(value) ? value['model'] : undefined
  if (model === undefined || model === null || typeof model === 'string') return
  const message = `Invalid type for 'model': expected a string, but got ${wordsOfValue(model)} instead.`
  throw new ApiError('invalid_parameter', { message, param: 'model', code: 'invalid_type' })
}

const UNCHANGED: JsonChanges = { isChanged: false }

function prepareJson(
  exchange: Exchange,
  snapshot: Snapshot,
  json: JsonBody,
  changes: JsonChanges,
): OutgoingBody | Promise<OutgoingBody> {
  const inBody = modelOf(json.value)
  assertSameModel(inBody, exchange.named)
  const model = inBody ?? exchange.named?.model
  exchange.model = model
  exchange.stream = wantsStream(json.value)
  if (inBody !== undefined) snapshot.assertSpelling?.(inBody)
  if (snapshot.needsModel) {
    // Each item of a list may be a call of its own.
    if (snapshot.settings.unknownModels === 'refuse' && !isJsonObject(json.value)) throw notAnObject('model')
    assertOneModel(json)
    if (MODEL_CALLS.test(endpointPath(endpointOf(exchange.requestTarget)))) assertModelIsText(json)
  }
  const program = snapshot.settings.params.length === 0 ? undefined : snapshot.rules.match(factsOf(exchange, model))
  if (program === undefined && !snapshot.needsModel) {
    if (!snapshot.restricts) return new JsonOutgoingBody(json, model, NO_EDITS, changes)
    const make = (inner: readonly InnerModel[] | undefined): OutgoingBody =>
      new JsonOutgoingBody(json, model, NO_EDITS, inner === undefined ? changes : { ...changes, inner })
    const inner = innerOf(exchange, snapshot, json, program)
    return inner instanceof Promise ? inner.then(make) : make(inner)
  }
  const { headers } = exchange.request
  assertOneReading(headers, json, program)
  assertNotInQuery(exchange.requestTarget, program)
  // Before they are applied: a refusal is told with the rules that it may come from.
  exchange.rules = program?.rules
  const applied = program?.apply(json)
  if (applied !== undefined) exchange.params = applied.receipt
  const isDecoded = json.encoded !== undefined && hasTwoCodings(headers)
  const { received } = changes
  const make = (inner: readonly InnerModel[] | undefined): OutgoingBody => {
    const all =
      isDecoded || inner !== undefined ? { received, inner, isChanged: changes.isChanged || isDecoded } : changes
    return new JsonOutgoingBody(json, model, applied?.edits ?? NO_EDITS, all)
  }
  const inner = snapshot.restricts ? innerOf(exchange, snapshot, json, program, applied) : undefined
  return inner instanceof Promise ? inner.then(make) : make(inner)
}

/** The models that a JSON body names beside its own, once they and all other calls in it are judged. */
function innerOf(
  exchange: Exchange,
  snapshot: Snapshot,
  json: JsonBody,
  program: RuleProgram | undefined,
  applied?: Applied,
): readonly InnerModel[] | Promise<readonly InnerModel[]> | undefined {
  const { value } = json
  if (!isJsonObject(value)) return undefined
  const isJudged = snapshot.modelsDecide || program?.judgeInner !== undefined || mayBringCalls(exchange, snapshot)
  if (!isJudged) return undefined
  assertNothingHidden(json, value)
  const checkOwn = (other: RuleProgram, param: string): void => assertUnchanged(other, json, param)
  const judged = { exchange, snapshot, value, program, checkOwn }
  const lists = longLists(value)
  if (lists.length > 0) return judgeInTurns(judged, applied?.value ?? value, lists)
  if (applied !== undefined) program?.judgeInner?.(applied.value)
  return judgeInner(judged)
}

function readOther(
  exchange: Exchange,
  snapshot: Snapshot,
  deps: PrepareBodyDeps,
  pass: typeof passBody,
): OutgoingBody | Promise<OutgoingBody> {
  if (exchange.body === undefined || !snapshot.readsBodies) return pass(exchange, deps)
  const facts = factsOf(exchange, undefined)
  const path = endpointPath(facts.endpoint)
  const mayBring = snapshot.restricts && mayBringCalls(exchange, snapshot)
  const isRuled = snapshot.rules.mayMatch(facts) || (mayBring && !UPLOADS.test(path))
  if (!(isRuled || mayBring || snapshot.needsModel || mayNameObject(facts, snapshot))) return pass(exchange, deps)
  const type = exchange.request.headers.get('content-type') || 'application/json'
  // Also where the path names a model: the body may name another.
  const isAnyRefused = snapshot.settings.unknownModels === 'refuse'
  const mustBeRead = isRuled || (isAnyRefused && !UPLOADS.test(path))
  if (mayBeJsonRequest(type)) return readJsonOf(exchange, snapshot, deps, mustBeRead)
  const isForm = type.toLowerCase().startsWith(mayBring ? 'multipart/' : 'multipart/form-data')
  const mayNameModel = snapshot.needsModel && MODEL_FORMS.test(path)
  if (mayBring && !mustBeRead && isForm && isLongerThan(exchange, deps.reading.bytesMax))
    return passUnlessBatch(exchange, deps)
  if (isForm && (mustBeRead || mayNameModel || mayBring)) return prepareForm(exchange, snapshot, type, deps, mustBeRead)
  // Some upstreams take a body for JSON whatever its type says.
  if (mustBeRead) throw notReadable(type)
  return pass(exchange, deps)
}

/** Whether a body may say which object it goes on from, where that decides who it goes to. */
function mayNameObject({ endpoint }: RequestFacts, { remembersIds }: Snapshot): boolean {
  const resource = endpointPath(endpoint).split('/', 1)[0] ?? ''
  // Pictures are edited by the ids of their files.
  return remembersIds && (STATEFUL_RESOURCES.has(resource) || resource === 'images')
}

/** What is no JSON passes, as the upstream's to judge, unless it must be read. */
async function readJsonOf(
  exchange: Exchange,
  snapshot: Snapshot,
  deps: PrepareBodyDeps,
  mustBeRead: boolean,
): Promise<OutgoingBody> {
  if (mustBeRead || exchange.json !== undefined) {
    const read = exchange.json ?? (await readJson(exchange, deps.reading))
    return prepareRead(exchange, snapshot, read)
  }
  const bytes = await readBytes(exchange, deps.reading)
  let json: JsonBody
  try {
    json = await parseBody(bytes, exchange, deps.reading)
  } catch (refusal) {
    if (refusal instanceof ApiError && NO_JSON.has(refusal.kind)) return bodyAsIs(bytes, exchange.named?.model)
    throw refusal
  }
  return prepareRead(exchange, snapshot, json)
}

/** Why a body can't be read as JSON. */
const NO_JSON: ReadonlySet<string> = new Set([
  'invalid_json',
  'unsupported_content_encoding',
  'unsupported_content_type',
])
