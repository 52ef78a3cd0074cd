import type { Exchange } from '../exchange/exchange.ts'
import { mayBeJsonRequest } from '../formats/http/media-types.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointPath } from '../openai/endpoint-path.ts'
import { useOfRequest } from '../openai/endpoint-use.ts'
import { STATEFUL_RESOURCES } from '../openai/resources.ts'
import type { RequestFacts } from '../params/rules.ts'
import type { RememberedIds } from '../routing/remembered-ids.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { Store } from '../storage/store.ts'
import { mayBringCalls } from './judge-inner.ts'
import { bodyAsIs, type OutgoingBody } from './outgoing-body.ts'
import { type Compared, isLongerThan, PASSES, type PassDeps, passUnlessBatch } from './pass-body.ts'
import { passNamed } from './pass-named.ts'
import { notReadable, prepareForm } from './prepare-form.ts'
import { prepareCompletion, prepareJson } from './prepare-json.ts'
import { readBytes } from './read-bytes.ts'
import { type Depth, parseBody, readJson } from './read-json.ts'
import { factsOf } from './request-facts.ts'

/** The settings and limits by which a request's body is read. */
export interface PrepareBodyDeps extends PassDeps {
  /** The model of a completion that names none; undefined: the model that OpenAI assumes, for OpenAI only. */
  readonly defaultModel: string | undefined
  /** The objects that this process knows; absent: any may be known. */
  readonly ids?: Pick<RememberedIds, 'isEmpty'>
}

/** The settings in force, and the store that remembers objects for several processes, where there is one. */
type Remembering = Snapshot & { readonly sharedStore?: Store | undefined }

/** The paths whose forms name a model, beside those of calls that are written in other ways. The forms of other paths are uploads. */
const MODEL_FORMS = /^(?:audio|images|videos)(?:\/|$)/
/** The paths whose bodies are a user's files, or are about such files. */
const UPLOADS = /^(?:files|uploads|containers|skills)(?:\/|$)/
/** The errors that say that a body is no JSON. */
const NO_JSON: ReadonlySet<string> = new Set([
  'invalid_json',
  'unsupported_content_encoding',
  'unsupported_content_type',
])

/**
 * Reads as much of a request's body as the gateway decides by, and applies the parameter rules to it.
 *
 * The body of a chat or text completion is always read and checked. Any other body passes through as it comes, unless a rule may match
 * it, or its target depends on its model or on an object that it names. A body is refused where a rule matches and can't be applied.
 *
 * `compared` tells whether the bytes of the whole body have to be there to be compared with other requests'; undefined: no stage looks at
 * it. No more of them is parsed, and nothing in the body is refused, for that reason. `isBooked`: calls are booked by their models.
 *
 * Throws, or rejects with, the `ApiError` of what is wrong with the body.
 */
export function prepareBody(
  exchange: Exchange,
  snapshot: Remembering,
  deps: PrepareBodyDeps,
  compared?: Compared,
  isBooked = false,
): OutgoingBody | Promise<OutgoingBody> {
  // What no setting has a say in, the upstream alone judges.
  const depth = depthFor(snapshot, deps)
  if (exchange.endpoint === undefined)
    return prepareOther(exchange, snapshot, deps, { passOn: passerFor(exchange, compared, isBooked), depth })
  // A body that came with the head is there at once. A promise for each step would cost more than the step.
  const body = exchange.json ?? readJson(exchange, deps.reading, depth)
  return body instanceof Promise
    ? body.then((read) => prepareCompletion(exchange, snapshot, read, deps.defaultModel))
    : prepareCompletion(exchange, snapshot, body, deps.defaultModel)
}

/** The function that passes on a body which no setting has a say in. */
function passerFor(exchange: Exchange, compared: Compared = 'none', isBooked: boolean): (typeof PASSES)[Compared] {
  return isBooked && isCounted(exchange) ? passNamed(compared) : PASSES[compared]
}

/** Whether a request is a call of a model, in whatever spelling. */
function isCounted(exchange: Exchange): boolean {
  return useOfRequest(exchange).counted === 'call'
}

/** How much of a body is read at first. While no object is known, no text in it can be the id of one. */
function depthFor({ bodyDepth, sharedStore }: Remembering, { ids }: PrepareBodyDeps): Depth {
  return bodyDepth === 'ids' && sharedStore === undefined && ids?.isEmpty() === true ? 'ids later' : bodyDepth
}

/** What becomes of the body of a request that is no completion. */
interface Handling {
  /** Passes the body on where nobody has to read it. */
  readonly passOn: (typeof PASSES)[Compared]
  /** How much of it is read where settings have a say in it. */
  readonly depth: Depth
}

/** Prepares the body of a request that is no completion. */
function prepareOther(
  exchange: Exchange,
  snapshot: Snapshot,
  deps: PrepareBodyDeps,
  { passOn, depth }: Handling,
): OutgoingBody | Promise<OutgoingBody> {
  // An id that is found in a member makes the rest be read, and refused where it is no JSON. These bodies are not refused.
  const passDepth = snapshot.bodyDepth === 'members' ? 'members' : 'whole'
  if (exchange.body === undefined || !snapshot.readsBodies) return passOn(exchange, deps, passDepth)
  const facts = factsOf(exchange, undefined)
  const path = endpointPath(facts.endpoint)
  const mayBring = snapshot.restricts && mayBringCalls(exchange, snapshot)
  const isRuled = snapshot.rules.mayMatch(facts) || (mayBring && !UPLOADS.test(path))
  if (!(isRuled || mayBring || snapshot.needsModel || mayNameObject(facts, snapshot)))
    return passOn(exchange, deps, passDepth)
  const type = exchange.request.headers.get('content-type') || 'application/json'
  // This holds where the path names a model, too: the body may name another one.
  const isAnyRefused = snapshot.settings.unknownModels === 'refuse'
  const mustBeRead = isRuled || (isAnyRefused && !UPLOADS.test(path))
  // The calls in a batch are judged one by one.
  const reading = { mustBeRead, depth: mayBring ? 'whole' : depth } as const
  if (mayBeJsonRequest(type)) return readAndPrepareJson(exchange, snapshot, deps, reading)
  const isForm = type.toLowerCase().startsWith(mayBring ? 'multipart/' : 'multipart/form-data')
  const mayNameModel = snapshot.needsModel && (MODEL_FORMS.test(path) || isCounted(exchange))
  if (mayBring && !mustBeRead && isForm && isLongerThan(exchange, deps.reading.bytesMax))
    return passUnlessBatch(exchange, deps)
  if (isForm && (mustBeRead || mayNameModel || mayBring)) return prepareForm(exchange, snapshot, type, deps, mustBeRead)
  // Some upstreams read any body as JSON, whatever its type says.
  if (mustBeRead) throw notReadable(type)
  return passOn(exchange, deps, passDepth)
}

/** Whether a body may name an object, such as the response before, whose upstream has to get the request. */
function mayNameObject({ endpoint }: RequestFacts, { remembersIds }: Snapshot): boolean {
  const resource = endpointPath(endpoint).split('/', 1)[0] ?? ''
  // An edit of a picture may name the id of a file.
  return remembersIds && (STATEFUL_RESOURCES.has(resource) || resource === 'images')
}

/** Reads and prepares a JSON body. A body that turns out to be no JSON passes for the upstream to judge, unless it must be read. */
async function readAndPrepareJson(
  exchange: Exchange,
  snapshot: Snapshot,
  deps: PrepareBodyDeps,
  { mustBeRead, depth }: { readonly mustBeRead: boolean; readonly depth: Depth },
): Promise<OutgoingBody> {
  if (mustBeRead || exchange.json !== undefined) {
    const read = exchange.json ?? (await readJson(exchange, deps.reading, depth))
    return prepareJson(exchange, snapshot, read)
  }
  const { model, stream } = exchange
  const bytes = await readBytes(exchange, deps.reading)
  try {
    // Of a long body, a member that is wrong in itself is found where it is to be judged.
    return await prepareJson(exchange, snapshot, await parseBody(bytes, exchange, deps.reading, depth))
  } catch (refusal) {
    if (!(refusal instanceof ApiError && NO_JSON.has(refusal.kind))) throw refusal
    exchange.model = model
    exchange.stream = stream
    return bodyAsIs(bytes, exchange.named?.model)
  }
}
