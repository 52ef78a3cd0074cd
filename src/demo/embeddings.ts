import type { JsonCall, SimulatedAnswer } from './call.ts'
import { fingerprint, numbersFrom } from './fingerprint.ts'
import type { JsonObject, JsonValue } from './json-value.ts'
import { readInteger, readModel, readString } from './read-field.ts'
import { emptyArray, invalidType, invalidValue, missingParameter } from './refusals.ts'
import { countTokens } from './tokens.ts'

const inputsMax = 2048

/** `POST /v1/embeddings` (OpenAI specification: CreateEmbeddingResponse): one vector of length 1 for each input. */
export function answerEmbeddings({ body }: JsonCall): SimulatedAnswer {
  const model = readModel(body)
  const inputs = readInputs(body)
  const format = readString(body, 'encoding_format') ?? 'float'
  if (format !== 'float' && format !== 'base64') {
    throw invalidValue('encoding_format', "expected one of 'float' or 'base64'.")
  }
  const dimensions = readInteger(body, 'dimensions', 1, 3072) ?? (model === 'text-embedding-3-large' ? 3072 : 1536)
  const data = inputs.map(({ text }, index) => {
    const vector = unitVector(fingerprint(model, text), dimensions)
    return { object: 'embedding', index, embedding: format === 'base64' ? base64(vector) : [...vector] }
  })
  const tokens = inputs.reduce((sum, input) => sum + input.tokens, 0)
  return {
    kind: 'json',
    value: { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } },
  }
}

interface Input {
  readonly text: string
  readonly tokens: number
}

function readInputs(body: JsonObject): Input[] {
  const input = body['input'] ?? undefined
  if (input === undefined) throw missingParameter('input')
  const items = Array.isArray(input) && !input.every((item) => typeof item === 'number') ? input : [input]
  if (Array.isArray(input) && input.length === 0) throw emptyArray('input')
  if (items.length > inputsMax) throw invalidValue('input', `expected at most ${inputsMax} items.`)
  return items.map(readInput)
}

function readInput(item: JsonValue): Input {
  if (typeof item === 'string') {
    if (item === '') throw invalidValue('input', 'input cannot be an empty string.')
    return { text: item, tokens: countTokens(item) }
  }
  if (Array.isArray(item) && item.every((token) => typeof token === 'number')) {
    return { text: item.join(' '), tokens: item.length }
  }
  throw invalidType('input', 'a string, or an array of strings or of tokens', item)
}

function unitVector(seed: string, dimensions: number): Float32Array {
  const next = numbersFrom(seed)
  const vector = Float64Array.from({ length: dimensions }, () => next() * 2 - 1)
  const length = Math.hypot(...vector)
  return Float32Array.from(vector, (value) => value / length)
}

/** Little-endian 32-bit floats, on every machine. */
function base64(vector: Float32Array): string {
  const bytes = new DataView(new ArrayBuffer(vector.length * 4))
  vector.forEach((value, index) => {
    bytes.setFloat32(index * 4, value, true)
  })
  return new Uint8Array(bytes.buffer).toBase64()
}
