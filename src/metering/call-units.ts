import type { ModelUsage } from '../openai/endpoint-table.ts'
import { callAt } from '../openai/endpoint-use.ts'
import type { Usage } from '../openai/usage/usage.ts'
import { BYTES_PER_TOKEN } from '../openai/usage/usage-tally.ts'
import { type Estimate, estimateCall } from '../pricing/estimate.ts'
import { answersOf, capOf, type PlannedCall } from '../pricing/planned-call.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import { writesUncapped } from '../pricing/text-use.ts'
import type { PreparedRequest } from '../requests/prepared-request.ts'
import { countedMembers } from './counted-members.ts'
import { dearestCall, modelNamed, priceAtFirst } from './dearest-call.ts'
import type { CallUnits } from './demand.ts'
import type { EarlierResponses } from './earlier-responses.ts'
import { plannedRequest } from './planned-request.ts'

/** What is reserved for a call, and what its request alone says of its usage. */
export interface ReservedUnits extends CallUnits {
  readonly asked: Partial<Usage>
  /** The quality and size of its images; undefined: not known, or it makes none. */
  readonly picture: string | undefined
  /** undefined: it sets a cap, or no money is limited. */
  readonly uncapped?: UncappedCall | undefined
}

/** A call whose answer may be as long as the model can write. */
export interface UncappedCall {
  /** Calls of one kind are expected to have answers of about one length: the project, the model and the endpoint. */
  readonly kind: string
  /** How many answers there are. */
  readonly answers: number
}

/** What is reserved for a request that asks no model. */
export const NO_UNITS: ReservedUnits = Object.freeze({
  tokens: 0,
  images: 0,
  amount: 0n,
  asked: {},
  picture: undefined,
})

/** What calls are estimated by. */
export interface CallUnitsDeps {
  readonly prices: PriceBook
  readonly earlier: EarlierResponses
}

/** What has to be known of a call before it is made: what it will have read if its answer does not tell that; its tokens; its cost, too. */
export type Needs = 'usage' | 'tokens' | 'money'

/** The kinds of usage that are not of texts alone. */
const MEDIA: ReadonlySet<ModelUsage | undefined> = new Set(['images', 'audio_speeches', 'audio_transcriptions'])
/** The bytes of a usual second of sound; what a budget is asked for is for a second of the fewest. */
const BYTES_PER_SECOND = 8_000
/** The tokens of a spoken character, about: some 15 characters and 21 tokens in a second. */
const SPOKEN_TOKENS_A_CHARACTER = 1.4

/**
 * Works out what to reserve for a call: its tokens and images, and, where money is limited, the most that it can cost at any of the targets
 * that it may be sent to; twice that where a second target may be asked beside the first, and what it reads once more for each attempt
 * that may be sent again.
 *
 * Tokens are those of the prompt and of the cap that the call sets: without a cap, what is written is counted when it is.
 *
 * Throws `model_not_priced` where money is limited and one of the targets has no price, and `invalid_parameter` where a count is no number.
 *
 * @example
 * const { tokens, images, amount } = callUnits(request, 'money', { prices, earlier })
 */
export function callUnits(request: PreparedRequest, needs: Needs, { prices, earlier }: CallUnitsDeps): ReservedUnits {
  const { route } = request
  const known = plannedRequest(request)
  const isMedia = MEDIA.has(callAt(known.endpoint)?.usage)
  if (needs === 'usage' && !isMedia) return textUnits(known, modelNamed(request))
  const members = countedMembers(known.members, known.endpoint, route.deployments, needs !== 'usage')
  const planned = { ...known, members, earlierTokens: earlier.tokensBefore(modelNamed(request), members) }
  if (needs !== 'money') {
    // What an image or a sound uses depends on what its model is billed by.
    const price = isMedia ? priceAtFirst(request, prices) : undefined
    const estimate = estimateCall({ ...planned, model: modelNamed(request) }, price)
    return { ...unitsOf(estimate, planned), amount: 0n }
  }
  const { estimate, amount } = dearestCall(request, planned, prices)
  return { ...unitsOf(estimate, planned), amount, uncapped: isMedia ? undefined : uncappedCall(request, planned) }
}

/**
 * What a call may cost if an answer without a cap has so many tokens at most, in nano-dollars. It is to be asked before the call is sent, when
 * the parsed body is let go.
 *
 * @example
 * amountExpected(request, 500, { prices, earlier })
 */
export function amountExpected(
  request: PreparedRequest,
  outputExpected: number,
  { prices, earlier }: CallUnitsDeps,
): bigint {
  const known = plannedRequest(request)
  const members = countedMembers(known.members, known.endpoint, request.route.deployments, true)
  const earlierTokens = earlier.tokensBefore(modelNamed(request), members)
  return dearestCall(request, { ...known, members, earlierTokens, outputExpected }, prices).amount
}

/** What a call without a cap is known by; undefined: it has one, writes no text, or is part of a realtime session. */
function uncappedCall(request: PreparedRequest, planned: Omit<PlannedCall, 'model'>): UncappedCall | undefined {
  if (planned.heard !== undefined || !writesUncapped(planned)) return undefined
  const kind = `${request.exchange.project ?? ''} ${modelNamed(request)} ${planned.endpoint}`
  return { kind, answers: answersOf(planned) }
}

function unitsOf({ usage, images, picture }: Estimate, planned: Omit<PlannedCall, 'model'>) {
  const { bodyBytes } = planned
  const { inputText, inputImage, outputAudio, characters } = usage
  const seconds = Math.min(usage.seconds, Math.ceil(bodyBytes / BYTES_PER_SECOND))
  const inputAudio = usage.seconds === 0 ? usage.inputAudio : Math.ceil((usage.inputAudio * seconds) / usage.seconds)
  const asked = {
    inputText: Math.min(inputText, Math.ceil(bodyBytes / BYTES_PER_TOKEN)),
    inputAudio,
    inputImage,
    // What is spoken is told by nobody, but by a stream of events.
    outputAudio: characters === 0 ? 0 : Math.min(outputAudio, Math.ceil(characters * SPOKEN_TOKENS_A_CHARACTER)),
    characters,
    images: usage.images,
    seconds,
  }
  const input = asked.inputText + inputAudio + inputImage
  return { tokens: input + (capOf(planned) ?? 0) * answersOf(planned), images, asked, picture }
}

/**
 * A call of texts whose use nothing limits: its text is looked at only where its answer does not tell what it has used. Nothing of its parsed
 * body is kept for that.
 */
function textUnits(call: Omit<PlannedCall, 'model'>, model: string): ReservedUnits {
  const { endpoint, bodyBytes, body } = call
  const written = (capOf(call) ?? 0) * answersOf(call)
  let made: ReservedUnits['asked'] | undefined
  const look = (): ReservedUnits['asked'] => {
    const bare = { endpoint, model, bodyBytes, body, members: NO_MEMBERS }
    made ??= unitsOf(estimateCall(bare, undefined), bare).asked
    return made
  }
  return {
    images: 0,
    amount: 0n,
    picture: undefined,
    get asked() {
      return look()
    },
    get tokens() {
      const { inputText = 0, inputAudio = 0, inputImage = 0 } = look()
      return inputText + inputAudio + inputImage + written
    },
  }
}

const NO_MEMBERS: PlannedCall['members'] = Object.freeze({})
