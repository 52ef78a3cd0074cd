import { type ReadLimits, tooLarge } from '../exchange/collect-bytes.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { isJsonType, mayBeJsonRequest } from '../formats/http/media-types.ts'
import { ApiError } from '../openai/api-error.ts'
import { modelOf, wantsStream } from '../params/default-model.ts'
import { bodyAsIs, comparedBody, type OutgoingBody } from './outgoing-body.ts'
import { parseJson } from './parse-json.ts'
import { limitBytes, readBytes, readStart } from './read-bytes.ts'

/** The limits of what passes. */
export interface PassDeps {
  readonly limits: { readonly uploadBytesMax: number }
  /** For JSON, and forms that are looked into. */
  readonly reading: ReadLimits
}

/** Passes on a body that other requests' are compared with where its length is told: what came chunked goes on chunked. */
function passTold(exchange: Exchange, deps: PassDeps): OutgoingBody | Promise<OutgoingBody> {
  return exchange.request.headers.has('content-length') ? passWhole(exchange, deps) : passBody(exchange, deps)
}

/** Passes on a body that other requests' are compared with: whole, and with its value where it is JSON. One of a told length that is too large goes on as it comes. */
async function passWhole(exchange: Exchange, deps: PassDeps): Promise<OutgoingBody> {
  const { request, body, json, named } = exchange
  const { bytesMax } = deps.reading
  if (body === undefined || Number(request.headers.get('content-length')) > bytesMax) return passBody(exchange, deps)
  const bytes = json?.encoded ?? json?.bytes ?? (await readBytes(exchange, deps.reading))
  const value = json?.value ?? (await jsonValueOf(bytes, exchange, deps))
  if (value === undefined) return bodyAsIs(bytes, named?.model)
  exchange.model = modelOf(value) ?? named?.model
  exchange.stream = wantsStream(value)
  return comparedBody(bytes, value, named?.model)
}

/** The value of a body that is JSON; undefined: it is not, or not to be read. */
async function jsonValueOf(bytes: Uint8Array, exchange: Exchange, { reading }: PassDeps): Promise<unknown> {
  const { headers } = exchange.request
  if (headers.has('content-encoding') || !mayBeJsonRequest(headers.get('content-type'))) return undefined
  try {
    return (await parseJson(bytes, () => reading.memory.hold(exchange))).value
  } catch (thrown) {
    if (thrown instanceof ApiError && thrown.kind === 'memory_full') throw thrown
    return undefined
  }
}

/** Passes on a body as it comes: at once where it has come, and in chunks else. */
export function passBody(
  { request, body, named }: Exchange,
  { limits }: PassDeps,
): OutgoingBody | Promise<OutgoingBody> {
  const asIs = (going: Parameters<typeof bodyAsIs>[0]): OutgoingBody => bodyAsIs(going, named?.model)
  if (body === undefined) return asIs(null)
  const { uploadBytesMax } = limits
  const declared = request.headers.get('content-length')
  // What came chunked goes on chunked.
  if (declared === null) return asIs(limitBytes(body.stream(), uploadBytesMax))
  if (Number(declared) > uploadBytesMax) throw tooLarge(uploadBytesMax)
  const whole = body.isComplete ? body.whole() : undefined
  if (whole instanceof Uint8Array) return asIs(whole)
  if (whole !== undefined) return whole.then(asIs)
  return isJsonType(request.headers.get('content-type'))
    ? readStart(body.stream(), Number(declared)).then(asIs)
    : asIs(body.stream())
}

/** Which bodies are read as a whole because other requests' are compared with them: none, those of a told length, or any. */
export type Compared = keyof typeof PASSES

/** How a body passes that nothing else is to be done with, by what it is compared for. */
export const PASSES = { none: passBody, told: passTold, any: passWhole } as const

/** Whether a body is declared to have more bytes. */
export function isLongerThan({ request }: Exchange, bytes: number): boolean {
  return Number(request.headers.get('content-length') ?? 0) > bytes
}

/** So far behind the word `purpose` a form says which: its head's end, and perhaps other lines of that, are between them. */
const PURPOSE_CHARS = 2048

/**
 * Passes on an upload that is too large to be looked into, unless it seems to be a batch's file: it breaks off there. Rejects with
 * `request_too_large`.
 */
export function passUnlessBatch(exchange: Exchange, { limits: { uploadBytesMax } }: PassDeps): OutgoingBody {
  const { body } = exchange
  if (body === undefined) return bodyAsIs(null)
  if (isLongerThan(exchange, uploadBytesMax)) throw tooLarge(uploadBytesMax)
  const latin1 = new TextDecoder('latin1')
  let end = ''
  const watching = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      const text = end + latin1.decode(chunk)
      if (saysBatch(text)) throw largeBatch()
      end = text.slice(-PURPOSE_CHARS)
      controller.enqueue(chunk)
    },
  })
  return bodyAsIs(body.stream().pipeThrough(watching))
}

/** Whether `purpose` stands in a text, and `batch` not far behind; goes through it once. */
function saysBatch(written: string): boolean {
  const text = written.toLowerCase()
  for (let from = text.indexOf('purpose'); from !== -1; ) {
    const batch = text.indexOf('batch', from)
    if (batch === -1) return false
    if (batch - text.lastIndexOf('purpose', batch) <= PURPOSE_CHARS) return true
    from = text.indexOf('purpose', batch)
  }
  return false
}

function largeBatch(): ApiError {
  return new ApiError('request_too_large', {
    message:
      'This server has rules for the calls in a batch, and its file is too large to be looked into. Send several smaller ones.',
  })
}
