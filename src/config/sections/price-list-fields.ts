import { type TNumber, type TOptional, Type } from '@sinclair/typebox'
import type { PriceList } from '../../pricing/price.ts'
import { mapOf, optional } from '../file/schema/fields.ts'

/** A million times as dear as the dearest of today: whoever writes more has missed the unit. */
const DOLLARS_MAX = 1_000_000

function dollars(description: string, example: number, fallback?: string): TOptional<TNumber> {
  const options = { ...(fallback !== undefined && { 'x-default': fallback }), examples: [example] }
  return optional(Type.Number({ minimum: 0, maximum: DOLLARS_MAX }), description, options)
}

/** The prices of tokens, as people write them: dollars for a million. */
export const TOKEN_PRICE_FIELDS = {
  input: dollars('Tokens that are read: dollars for a million.', 0.15),
  input_audio: dollars('The same, of sound.', 40, "input's"),
  input_image: dollars('The same, of images.', 10, "input's"),
  cached: dollars("Tokens that are read from the upstream's cache.", 0.075, "input's"),
  cached_audio: dollars('The same, of sound.', 2.5, "input_audio's"),
  cached_image: dollars('The same, of images.', 2.5, "input_image's"),
  cache_write: dollars("Tokens that are written to the upstream's cache.", 3.75, "input's"),
  cache_write_1h: dollars('The same, to stay there for an hour.', 6, "cache_write's"),
  cache_write_12h: dollars('The same, for twelve hours.', 10, "cache_write_1h's"),
  output: dollars('Tokens that are written: dollars for a million.', 0.6),
  output_audio: dollars('The same, of sound.', 80, "output's"),
  output_image: dollars('The same, of images.', 40, "output's"),
  reasoning: dollars('Tokens of thoughts.', 3, "output's"),
}

/** All prices of an entry: for tokens and characters a million, for sound a minute, for anything else one. */
export const PRICE_LIST_FIELDS = {
  ...TOKEN_PRICE_FIELDS,
  image: dollars('An image: dollars for one.', 0.04),
  images: optional(mapOf(Type.Number({ minimum: 0, maximum: DOLLARS_MAX })), 'The same, by QUALITY/SIZE.', {
    examples: [{ 'standard/1024x1024': 0.04, 'hd/1024x1024': 0.08 }],
  }),
  minute: dollars('Sound: dollars for a minute.', 0.006),
  characters: dollars('Text that is spoken: dollars for a million characters.', 15),
  request: dollars('A call: dollars for one, beside all others.', 0.005),
  web_search: dollars("A search by the upstream's own tool: dollars for one.", 0.01),
  file_search: dollars('The same, in files.', 0.0025),
  code_session: dollars("A session of the upstream's code interpreter.", 0.03),
}

type NumberField = Exclude<keyof typeof PRICE_LIST_FIELDS, 'images'>

/** The prices that are numbers: their name in a price list, and the nano-dollars in it of a dollar in the file. */
export const NUMBER_OF_PRICE: Readonly<
  Record<NumberField, readonly [name: Exclude<keyof PriceList, 'imageBy'>, nano: number]>
> = {
  input: ['input', 1e3],
  input_audio: ['inputAudio', 1e3],
  input_image: ['inputImage', 1e3],
  cached: ['cached', 1e3],
  cached_audio: ['cachedAudio', 1e3],
  cached_image: ['cachedImage', 1e3],
  cache_write: ['cacheWrite', 1e3],
  cache_write_1h: ['cacheWrite1h', 1e3],
  cache_write_12h: ['cacheWrite12h', 1e3],
  output: ['output', 1e3],
  output_audio: ['outputAudio', 1e3],
  output_image: ['outputImage', 1e3],
  reasoning: ['reasoning', 1e3],
  image: ['image', 1e9],
  minute: ['second', 1e9 / 60],
  characters: ['character', 1e3],
  request: ['request', 1e9],
  web_search: ['webSearch', 1e9],
  file_search: ['fileSearch', 1e9],
  code_session: ['codeSession', 1e9],
}

/** Their fields, in the order of the file. */
export const NUMBER_PRICES: readonly NumberField[] = Object.keys(NUMBER_OF_PRICE) as NumberField[]
