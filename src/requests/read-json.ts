import { type ReadLimits, tooLarge } from '../exchange/collect-bytes.ts'
import type { Held } from '../exchange/memory-budget.ts'
import { canDecode, isEncoded } from '../formats/bytes/decode-body.ts'
import { decodedBytesMax } from '../formats/bytes/decode-limit.ts'
import { JsonBody } from '../formats/json/json-body.ts'
import { ApiError } from '../openai/api-error.ts'
import { decodeInTurns } from './decode-in-turns.ts'
import { type ParsedJson, parseJson } from './parse-json.ts'
import { type Incoming, readBytes } from './read-bytes.ts'

/**
 * Reads a request's body once, and parses a copy of it.
 *
 * A short body that has arrived is parsed at once. Throws, or rejects with, `request_too_large` (also for a body that
 * decodes to more), `decodes_to_too_much`, `memory_full`, `too_many_values`, `unsupported_content_encoding`,
 * `unsupported_content_type` (a form where JSON belongs) or `invalid_json`.
 *
 * @example
 * const { bytes, value } = await readJson(exchange, { bytesMax: config.limits.jsonBytesMax, memory })
 */
export function readJson(incoming: Incoming, limits: ReadLimits): JsonBody | Promise<JsonBody> {
  const reading = readBytes(incoming, limits)
  return reading instanceof Uint8Array
    ? parseBody(reading, incoming, limits)
    : reading.then((bytes) => parseBody(bytes, incoming, limits))
}

/**
 * Parses a copy of a request's body that is there, decoded as its headers say.
 *
 * @example
 * const { value } = await parseBody(bytes, exchange, limits)
 */
export function parseBody(
  bytes: Uint8Array<ArrayBuffer>,
  incoming: Incoming,
  limits: ReadLimits,
): JsonBody | Promise<JsonBody> {
  const codings = incoming.request.headers.get('content-encoding')
  if (codings === null || !isEncoded(codings)) return parse(bytes, incoming, limits)
  if (!canDecode(codings)) throw new ApiError('unsupported_content_encoding')
  return decode(bytes, codings, incoming, limits).then((plain) => parse(plain, incoming, limits, bytes))
}

async function decode(
  bytes: Uint8Array<ArrayBuffer>,
  codings: string,
  incoming: Incoming,
  { bytesMax, memory }: ReadLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const plain = await decodeInTurns(bytes, codings, bytesMax, memory.hold(incoming))
  if (plain === undefined) throw new ApiError('unsupported_content_encoding')
  if (plain instanceof Uint8Array) return plain
  throw decodedBytesMax(bytes.byteLength) < bytesMax ? new ApiError('decodes_to_too_much') : tooLarge(bytesMax)
}

function parse(
  bytes: Uint8Array<ArrayBuffer>,
  incoming: Incoming,
  { memory }: ReadLimits,
  encoded?: Uint8Array<ArrayBuffer>,
): JsonBody | Promise<JsonBody> {
  let held: Held | undefined
  const body = ({ value, members }: ParsedJson): JsonBody => new JsonBody(bytes, value, { encoded, members, held })
  try {
    const parsing = parseJson(bytes, () => {
      held = memory.hold(incoming)
      return held
    })
    if (!(parsing instanceof Promise)) return body(parsing)
    return parsing.then(body, (cause: unknown) => {
      throw notJson(incoming.request.headers.get('content-type') ?? '', cause)
    })
  } catch (cause) {
    throw notJson(incoming.request.headers.get('content-type') ?? '', cause)
  }
}

/** A parser's message quotes the text, which is the caller's prompt: the cause keeps only its kind. */
function notJson(contentType: string, cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause
  const reason = cause instanceof Error ? cause.name : 'unknown'
  const mediaType = contentType.split(';', 1)[0]?.trim() ?? ''
  if (!mediaType.startsWith('multipart/')) return new ApiError('invalid_json', { cause: reason })
  return new ApiError('unsupported_content_type', {
    message: `Unsupported content type: '${mediaType}'. This API method only accepts 'application/json' requests, but you specified the header 'Content-Type: ${mediaType}'. Please try again with a supported content type.`,
  })
}
