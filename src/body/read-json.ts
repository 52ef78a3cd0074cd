import { formatOf } from '../bytes/content-coding.ts'
import { JsonBody } from '../json/json-body.ts'
import { ApiError } from '../openai/api-error.ts'
import { collect, type Incoming, readBytes } from './read-bytes.ts'

const UTF_8 = new TextDecoder('utf-8', { fatal: true })
/**
 * Reads a request's body once, and parses a copy of it.
 *
 * What has come already is parsed at once. Throws, or rejects with, `request_too_large` (also for a body that decodes to
 * more), `unsupported_content_encoding`,
 * `unsupported_content_type` (a form where JSON belongs) or `invalid_json`.
 *
 * @example
 * const { bytes, value } = await readJson(exchange, config.limits.jsonBytesMax)
 */
export function readJson(incoming: Incoming, bytesMax: number): JsonBody | Promise<JsonBody> {
  const received = readBytes(incoming, bytesMax)
  const coding = incoming.request.headers.get('content-encoding')?.trim().toLowerCase() ?? ''
  const isPlain = coding === 'identity' || coding === ''
  if (isPlain && received instanceof Uint8Array) return parse(received, incoming.request)
  return readLater(received, isPlain ? undefined : coding, incoming.request, bytesMax)
}

async function readLater(
  receiving: Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>,
  coding: string | undefined,
  request: Request,
  bytesMax: number,
): Promise<JsonBody> {
  const received = await receiving
  if (coding === undefined) return parse(received, request)
  const format = formatOf(coding)
  if (format === undefined) throw new ApiError('unsupported_content_encoding')
  return parse(await decode(received, format, bytesMax), request, received)
}

function parse(bytes: Uint8Array<ArrayBuffer>, request: Request, encoded?: Uint8Array<ArrayBuffer>): JsonBody {
  try {
    return new JsonBody(bytes, JSON.parse(UTF_8.decode(bytes)), encoded)
  } catch (cause) {
    throw notJson(request.headers.get('content-type') ?? '', cause)
  }
}

/** A parser's message quotes the text, which is the caller's prompt: the cause keeps only its kind. */
function notJson(contentType: string, cause: unknown): ApiError {
  const reason = cause instanceof Error ? cause.name : 'unknown'
  const mediaType = contentType.split(';', 1)[0]?.trim() ?? ''
  if (!mediaType.startsWith('multipart/')) return new ApiError('invalid_json', { cause: reason })
  return new ApiError('unsupported_content_type', {
    message: `Unsupported content type: '${mediaType}'. This API method only accepts 'application/json' requests, but you specified the header 'Content-Type: ${mediaType}'. Please try again with a supported content type.`,
  })
}

async function decode(
  bytes: Uint8Array<ArrayBuffer>,
  format: Bun.CompressionFormat,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const decoded = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format))
  try {
    return await collect(decoded, bytesMax)
  } catch (cause) {
    throw cause instanceof ApiError ? cause : new ApiError('unsupported_content_encoding', { cause })
  }
}
