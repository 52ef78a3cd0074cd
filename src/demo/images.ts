import type { JsonCall, SimulatedAnswer } from './call.ts'
import { readBoolean, readInteger, readModel, readString } from './read-field.ts'
import { missingParameter } from './refusals.ts'
import { namedEvents } from './sse.ts'
import { countTokens } from './tokens.ts'

/** A picture of one grey pixel (PNG). */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCB1yPZFgAAAABJRU5ErkJggg=='
const IMAGE_TOKENS = 272

/** `POST /v1/images/generations` (OpenAI specification: ImagesResponse, ImageGenCompletedEvent). `dall-e` models tell no usage. */
export function answerImages({ body, created }: JsonCall): SimulatedAnswer {
  const model = readModel(body)
  const prompt = readString(body, 'prompt')
  if (prompt === undefined) throw missingParameter('prompt')
  const count = readInteger(body, 'n', 1, 10) ?? 1
  const read = countTokens(prompt)
  const written = count * IMAGE_TOKENS
  const usage = {
    input_tokens: read,
    input_tokens_details: { image_tokens: 0, text_tokens: read },
    output_tokens: written,
    total_tokens: read + written,
  }
  const told = model.startsWith('dall-e') ? {} : { usage }
  const about = { size: '1024x1024', quality: 'low', output_format: 'png', background: 'opaque' }
  if (!readBoolean(body, 'stream')) {
    const data = Array.from({ length: count }, () => ({ b64_json: PIXEL }))
    return { kind: 'json', value: { created, data, ...about, ...told } }
  }
  return namedEvents([
    { type: 'image_generation.partial_image', b64_json: PIXEL, partial_image_index: 0, created_at: created, ...about },
    { type: 'image_generation.completed', b64_json: PIXEL, created_at: created, ...about, ...told },
  ])
}
