import { givenNumber, type PlannedCall, type PlannedUse } from './planned-call.ts'
import type { ModelPrice } from './price.ts'
import { tokenSizesOf } from './token-sizes.ts'

/** What a model for realtime holds and writes at most, where the price list does not say it. */
const CONTEXT_TOKENS_MAX = 128_000
const OUTPUT_TOKENS_MAX = 16_384

/**
 * The most that a response of a realtime session may use: it reads all that the session has heard, of which sound is the dearest, and speaks if
 * it may. undefined: it is none.
 */
export function realtimeUse(call: PlannedCall, price: ModelPrice | undefined): PlannedUse | undefined {
  const { heard } = call
  if (heard === undefined) return undefined
  const context = price?.contextTokensMax ?? CONTEXT_TOKENS_MAX
  const hears = price?.prices.inputAudio !== undefined
  const inputAudio = hears ? Math.min(heard.isOpen ? context : heard.audio, context) : 0
  const inputImage = Math.min(heard.images * tokenSizesOf(call.model).image, context - inputAudio)
  const text = heard.isOpen ? context : heard.text + (hears ? 0 : heard.audio)
  const most = mostWritten(call, price)
  const isSpoken = heard.speaks && price?.prices.outputAudio !== undefined
  return {
    usage: {
      ...{ inputAudio, inputImage, inputText: Math.min(text, context - inputAudio - inputImage) },
      ...{ outputText: isSpoken ? 0 : most, outputAudio: isSpoken ? most : 0 },
    },
  }
}

function mostWritten(call: PlannedCall, price: ModelPrice | undefined): number {
  const able = price?.outputTokensMax === 0 ? undefined : price?.outputTokensMax
  const cap = givenNumber(call, 'max_output_tokens')
  if (cap === undefined) return able ?? OUTPUT_TOKENS_MAX
  return able === undefined ? cap : Math.min(cap, able)
}
