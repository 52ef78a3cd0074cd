import type { Exchange } from '../exchange/exchange.ts'
import { foldName, foldsTo } from '../formats/json/fold-name.ts'
import { isJsonObject, type JsonObject } from '../formats/json/json.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { endpointPath } from '../openai/endpoint-path.ts'
import { callAt } from '../openai/endpoint-use.ts'
import { wordsOfValue } from '../openai/json-type-words.ts'
import type { NamedModel } from '../openai/read-target.ts'
import { fieldMeantBy } from '../params/form-fields.ts'
import { treeOf } from '../params/name-tree.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { Form } from './read-form.ts'

const MODEL = treeOf([['model']])
const SHOWN_CHARS_MAX = 60
/** The members of a body that name an upstream's object with a model of its own. */
const HOLDERS = ['prompt', 'assistant_id', 'agent_id', 'agent', 'workflow', 'workflow_id']
/** The paths whose calls take the model of such an object where they name none. */
const HELD = /^(?:responses|threads\/runs|threads\/[^/]+\/runs|chatkit|agents|conversations|realtime)(?:\/|$)/
/**
 * The members that name an upstream's object whose model may replace the one that a call names: OpenRouter's presets
 * (https://openrouter.ai/docs/features/presets), LiteLLM's prompts (https://docs.litellm.ai/docs/proxy/custom_prompt_management).
 */
const OVERRIDING = ['preset', 'presetid', 'promptid']
/** The parameters of a call that nearly all calls have. As a number, a text, true or false each of them names no model and holds no call. */
const USUAL: ReadonlySet<string> = new Set([
  ...['model', 'stream', 'temperature', 'top_p', 'n', 'stop', 'seed', 'user', 'store', 'logprobs', 'top_logprobs'],
  ...['max_tokens', 'max_completion_tokens', 'presence_penalty', 'frequency_penalty', 'parallel_tool_calls'],
  ...['reasoning_effort', 'verbosity', 'service_tier', 'prompt_cache_key', 'safety_identifier'],
])
/** The members that hold free text only. */
const WORDS = 'messages'

/**
 * Asserts that a JSON body names its model at most once, and as `model`: an upstream's parser that takes the first of two, or another
 * spelling, would see another model than the gateway does. Throws `rules_not_applicable`.
 *
 * @example
 * assertOneModel(json)
 */
export function assertOneModel({ members }: JsonBody): void {
  const names = members.filter(({ key }) => foldsTo(key, 'model'))
  if (names.length > 1) throw modelSentTwice()
  const [name] = names
  if (name === undefined || name.key === 'model') return
  const message = `Send the model as 'model', not as '${name.key}'.`
  throw new ApiError('rules_not_applicable', { message, param: name.key })
}

/**
 * Whether a body is the plainest call: one model by name, and usual parameters, each of them once and none an object or a list. Nothing else is
 * to be judged in it.
 *
 * @example
 * if (isPlainCall(json, value)) return []
 */
export function isPlainCall({ members, unread }: JsonBody, value: JsonObject): boolean {
  if (unread !== undefined || typeof value['model'] !== 'string') return false
  let names = 0
  for (const name in value) {
    const inner = value[name]
    const isPlain =
      name === WORDS ? Array.isArray(inner) : USUAL.has(name) && (typeof inner !== 'object' || inner === null)
    if (!isPlain) return false
    names += 1
  }
  return members.length === names
}

/** Asserts that a body and its request's target don't name two models. Throws `rules_not_applicable`. */
export function assertSameModel(inBody: string | undefined, named: NamedModel | undefined): void {
  if (named === undefined || inBody === undefined || inBody === named.model) return
  const message = 'The URL of your request names another model than its body. Name it once, in the body.'
  throw new ApiError('rules_not_applicable', { message, param: 'model' })
}

/** Asserts that the model of a JSON body is a string, if there is one. Throws `invalid_parameter`. */
export function assertModelIsText({ outline }: JsonBody): void {
  const model = isJsonObject(outline) ? outline['model'] : undefined
  if (model === undefined || model === null || typeof model === 'string') return
  const message = `Invalid type for 'model': expected a string, but got ${wordsOfValue(model)} instead.`
  throw new ApiError('invalid_parameter', { message, param: 'model', code: 'invalid_type' })
}

/**
 * Asserts that a form names its model at most once, and in the field `model`: some servers read `Model` and `model[]` as the model, too.
 * Throws `rules_not_applicable`.
 *
 * @example
 * assertOneModelField(form)
 */
export function assertOneModelField({ fields }: Form): void {
  for (const name of fields.keys()) {
    if (name === 'model' || !isModelField(name)) continue
    const param = name.slice(0, SHOWN_CHARS_MAX)
    throw new ApiError('rules_not_applicable', {
      message: `Send the model as a field 'model', not as '${param}'.`,
      param,
    })
  }
  if ((fields.get('model')?.length ?? 0) > 1) throw modelSentTwice()
}

/** Whether a server may read a form's field as the model. */
export function isModelField(name: string): boolean {
  return fieldMeantBy(name, MODEL) !== undefined
}

/**
 * Asserts that a call names its model where the server refuses unknown models, or that its caller may use the one that is taken where none is
 * named. `endpoint` is what `endpointPath` gives. Throws `rules_not_applicable` and `model_not_found`.
 *
 * @example
 * assertCallNames(model, 'chat/completions', snapshot)
 */
export function assertCallNames(model: string | undefined, endpoint: string, snapshot: Snapshot): void {
  if (model !== undefined || snapshot.settings.unknownModels !== 'refuse') return
  const call = callAt(endpoint)
  // A video is no call that is counted, but it has a model.
  if (call === undefined && endpoint !== 'videos') return
  if (snapshot.takesDefaults === true && call?.defaultModel !== undefined) {
    snapshot.assertPermitted?.(call.defaultModel)
    return
  }
  throw new ApiError('rules_not_applicable', {
    message: 'This server decides on the models that may be used, and this call names none: name its model.',
    param: 'model',
  })
}

/**
 * Asserts that a request tells its model in its body or target. Without one, its upstream takes the model of a prompt, an assistant or an
 * agent, which the gateway does not know. Throws `rules_not_applicable`.
 */
export function assertModelTold(exchange: Exchange, value: JsonObject, snapshot: Snapshot): void {
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

function modelSentTwice(): ApiError {
  return new ApiError('rules_not_applicable', {
    message: "Duplicate parameter: 'model'. Send it once.",
    param: 'model',
  })
}
