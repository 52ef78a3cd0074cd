import { isJsonObject } from '../formats/json/json.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { endpointPath } from '../openai/endpoint-path.ts'
import type { Usage } from '../openai/usage/usage.ts'
import { type Estimate, estimateCall } from '../pricing/estimate.ts'
import type { PlannedCall } from '../pricing/planned-call.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import { outlineOf } from '../requests/outgoing-body.ts'
import type { PreparedRequest } from '../requests/prepared-request.ts'
import { payerOf } from '../routing/deployment-address.ts'
import type { Deployment } from '../routing/targets/deployment.ts'
import type { CallUnits } from './demand.ts'

/** What is reserved for a call, and what its request alone says of its usage. */
export interface ReservedUnits extends CallUnits {
  readonly asked: Partial<Usage>
  /** The quality and size of its images; undefined: not known, or it makes none. */
  readonly picture: string | undefined
}

/** What has to be known of a call before it is made: what it will have read if its answer does not tell that; its tokens; its cost, too. */
export type Needs = 'usage' | 'tokens' | 'money'

/** The calls that are not about texts alone. */
const MEDIA = /^(?:images|audio)\//
/** What a text really has in a token, about: what a budget is asked for is more. */
const BYTES_PER_TOKEN = 4
/** The bytes of a usual second of sound; what a budget is asked for is for a second of the fewest. */
const BYTES_PER_SECOND = 8_000
const NAME_CHARS_SHOWN = 100
/** The words for a cap on the tokens of an answer. */
const CAPS = ['max_completion_tokens', 'max_output_tokens', 'max_tokens'] as const
const NO_MEMBERS: PlannedCall['members'] = Object.freeze({})

/**
 * Works out what to reserve for a call: its tokens and images, and, where money is limited, the most that it can cost at any of the targets
 * that it may be sent to; twice that where a second target may be asked beside the first.
 *
 * Tokens are those of the prompt and of the cap that the call sets: without a cap, what is written is counted when it is.
 *
 * Throws `model_not_priced` where money is limited and one of the targets has no price.
 *
 * @example
 * const { tokens, images, amount } = callUnits(request, 'money', prices)
 */
export function callUnits(request: PreparedRequest, needs: Needs, prices: PriceBook): ReservedUnits {
  const { exchange, outgoing, route } = request
  const planned = plannedCall(request)
  if (needs === 'usage' && !MEDIA.test(planned.endpoint)) return textUnits(planned)
  if (needs !== 'money') {
    const estimate = estimateCall({ ...planned, model: outgoing.model ?? '' }, undefined)
    return { ...unitsOf(estimate, planned), amount: 0n }
  }
  let most: { readonly estimate: Estimate; readonly cost: number } | undefined
  for (const deployment of route.deployments) {
    if (payerOf(exchange.principal, deployment.upstream) === 'caller') continue
    for (const model of modelsAt(deployment, request)) {
      const found = prices.priceOf(deployment.upstream.provider, deployment.upstream.name, model)
      const estimate = estimateCall({ ...planned, model }, found?.price)
      const cost = found?.by === 'free' ? 0 : estimate.cost
      if (found === undefined || cost === undefined) throw notPriced(model, deployment.upstream.name)
      if (most === undefined || cost > most.cost) most = { estimate, cost }
    }
  }
  const estimate = most?.estimate ?? estimateCall({ ...planned, model: outgoing.model ?? '' }, undefined)
  const times = route.resilience.hedge === undefined ? 1n : 2n
  return { ...unitsOf(estimate, planned), amount: BigInt(most?.cost ?? 0) * times }
}

/** The models that a call may be answered by at a deployment: its own, and those that it names as others that will do. */
function modelsAt(deployment: Deployment, { outgoing }: PreparedRequest): readonly string[] {
  const own = outgoing.modelFor(deployment) ?? outgoing.model ?? ''
  return outgoing.inner.length === 0 ? [own] : [own, ...outgoing.inner.map(({ model }) => model)]
}

function plannedCall({ exchange, outgoing }: PreparedRequest): Omit<PlannedCall, 'model'> {
  const { received } = outgoing
  // A rule may have set a cap, or a number of answers, or taken one out.
  const outline = outgoing.ruled ?? outlineOf(outgoing)
  const isRead = isJsonObject(outline)
  const bytes = received instanceof Uint8Array ? received : undefined
  return {
    endpoint: endpointPath(endpointOf(exchange.requestTarget)),
    bodyBytes: bytes?.byteLength ?? Number(exchange.request.headers.get('content-length') ?? 0),
    body: isRead ? bytes : undefined,
    members: isRead ? outline : NO_MEMBERS,
  }
}

function unitsOf({ usage, images, picture }: Estimate, { bodyBytes, members }: Omit<PlannedCall, 'model'>) {
  const { inputText, inputAudio, inputImage, characters, seconds } = usage
  const asked = {
    inputText: Math.min(inputText, Math.ceil(bodyBytes / BYTES_PER_TOKEN)),
    inputAudio,
    inputImage,
    characters,
    images: usage.images,
    seconds: Math.min(seconds, Math.ceil(bodyBytes / BYTES_PER_SECOND)),
  }
  const input = asked.inputText + inputAudio + inputImage
  return { tokens: input + capIn(members) * choicesIn(members), images, asked, picture }
}

/** A call of texts whose use nothing limits: only its prompt is estimated, by its length. */
function textUnits({ bodyBytes, members }: Omit<PlannedCall, 'model'>): ReservedUnits {
  const asked = { inputText: Math.ceil(bodyBytes / BYTES_PER_TOKEN) }
  return {
    tokens: asked.inputText + capIn(members) * choicesIn(members),
    images: 0,
    amount: 0n,
    asked,
    picture: undefined,
  }
}

/** The largest cap that a body sets: which of them its server obeys is not known. */
function capIn(members: PlannedCall['members']): number {
  let most = 0
  for (const name of CAPS) {
    const cap = members[name]
    if (typeof cap === 'number' && cap > most) most = cap
  }
  return most
}

function choicesIn({ n }: PlannedCall['members']): number {
  return typeof n === 'number' && n > 1 ? n : 1
}

function notPriced(model: string, upstream: string): ApiError {
  const what =
    model === '' ? 'This call names no model, so that it' : `The model \`${model.slice(0, NAME_CHARS_SHOWN)}\``
  return new ApiError('model_not_priced', {
    message: `${what} has no price at ${upstream}, and your key has a spend limit: what the call costs could not be counted. The operator of this server may give it a price (\`prices\`), or say that it is free.`,
  })
}
