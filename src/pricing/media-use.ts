import { givenNumber, givenText, type PlannedCall, type PlannedUse } from './planned-call.ts'
import type { ModelPrice } from './price.ts'
import { sharesOf, UNSEEN_TEXT } from './text-shares.ts'
import { tokenSizesOf, tokensOfText } from './token-sizes.ts'

/** The tokens of an image by its quality, for the largest size (OpenAI, image generation). */
const IMAGE_TOKENS: Readonly<Record<string, number>> = { low: 408, medium: 1_584 }
/** Those of one of high quality, or of one that is read in full. */
const IMAGE_TOKENS_MAX = 6_240
/** Each part of an image that is shown before it is ready. */
const PARTIAL_IMAGE_TOKENS = 100
/** The most images that an edit takes, and the least bytes that one has. */
const IMAGES_READ_MAX = 16
const IMAGE_BYTES = 50_000
/** Models whose images have a quality and a size where the call says none. */
const DALL_E = /(?:^|\/)dall-e-/
/** No format for speech has fewer bytes in a second. */
const SOUND_BYTES_A_SECOND = 1_000
/** Tokens that are written for a second of speech, if one speaks fast. */
const WORD_TOKENS_A_SECOND = 8
/** Speech has some 15 characters in a second, and 21 tokens; slow languages have fewer. */
const SPOKEN_TOKENS_A_CHARACTER = 2
/** The slowest speech (OpenAI specification, `CreateSpeechRequest.speed`). */
const SPEED_MIN = 0.25

/** The most that a call for images or sounds may use; undefined: it is none of those. */
export function mediaUse(call: PlannedCall, price: ModelPrice | undefined): PlannedUse | undefined {
  if (call.endpoint.startsWith('images/')) return imagesUse(call, price)
  if (call.endpoint === 'audio/speech') return speechUse(call, price)
  if (call.endpoint === 'audio/transcriptions' || call.endpoint === 'audio/translations') return soundUse(call, price)
  return undefined
}

/** Images: their tokens where the model is billed by those, else the images themselves. */
function imagesUse(call: PlannedCall, price: ModelPrice | undefined): PlannedUse {
  const images = givenNumber(call, 'n') ?? 1
  const quality = givenText(call, 'quality')
  const size = givenText(call, 'size')
  const read = call.endpoint === 'images/generations' ? 0 : imagesRead(call.bodyBytes)
  const promptBytes = read === 0 ? call.bodyBytes : Math.min(call.bodyBytes, IMAGE_BYTES)
  const hasTokens = price?.prices.outputImage !== undefined
  const partial = (givenNumber(call, 'partial_images') ?? 0) * PARTIAL_IMAGE_TOKENS
  return {
    usage: {
      images,
      ...(hasTokens && {
        inputText: promptTokens(call, promptBytes),
        inputImage: read * IMAGE_TOKENS_MAX,
        outputImage: images * ((IMAGE_TOKENS[quality ?? ''] ?? IMAGE_TOKENS_MAX) + partial),
      }),
    },
    picture: pictureOf(call.model, quality, size),
  }
}

/**
 * The quality and size of an image, by the defaults of its model (OpenAI specification, `CreateImageRequest`): dall-e makes the standard quality
 * and a square where nothing else is said. What other models choose by themselves (`auto`) is not known before.
 */
function pictureOf(model: string, quality: string | undefined, size: string | undefined): string | undefined {
  if (!DALL_E.test(model)) return size === undefined || size === 'auto' ? undefined : `${quality ?? 'standard'}/${size}`
  const isUsual = quality === undefined || quality === 'auto'
  return `${isUsual ? 'standard' : quality}/${size === undefined || size === 'auto' ? '1024x1024' : size}`
}

/** How many images a form of so many bytes has at most. */
function imagesRead(bytes: number): number {
  return Math.min(IMAGES_READ_MAX, 1 + Math.floor(bytes / IMAGE_BYTES))
}

/** Speech: by its characters, or by the tokens of its text and of its sound. */
function speechUse(call: PlannedCall, price: ModelPrice | undefined): PlannedUse {
  // What has not been read has no more characters than bytes.
  const characters = givenText(call, 'input')?.length ?? call.bodyBytes
  if (price?.prices.character !== undefined) return { usage: { characters } }
  const slowness = 1 / Math.min(1, speedOf(call))
  return {
    usage: {
      inputText: promptTokens(call, call.bodyBytes),
      outputAudio: Math.ceil(characters * SPOKEN_TOKENS_A_CHARACTER * slowness),
      characters,
    },
  }
}

/** How fast is spoken; a text that is no number counts as the slowest. */
function speedOf(call: PlannedCall): number {
  const text = givenText(call, 'speed')
  const speed = text === undefined ? (givenNumber(call, 'speed', 0) ?? 1) : Number(text)
  return speed >= SPEED_MIN ? speed : SPEED_MIN
}

/** Sounds that become texts: by their length, which the size of the file bounds, or by tokens. */
function soundUse(call: PlannedCall, price: ModelPrice | undefined): PlannedUse {
  const seconds = Math.ceil(call.bodyBytes / SOUND_BYTES_A_SECOND)
  const hasTokens = price?.prices.inputAudio !== undefined
  if (!hasTokens) return { usage: { seconds } }
  return {
    usage: {
      inputAudio: seconds * tokenSizesOf(call.model).audioSecond,
      outputText: seconds * WORD_TOKENS_A_SECOND,
      seconds,
    },
  }
}

function promptTokens({ body, model }: PlannedCall, bytes: number): number {
  return tokensOfText(bytes, body === undefined ? UNSEEN_TEXT : sharesOf(body, []), tokenSizesOf(model))
}
