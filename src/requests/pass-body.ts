import { type ReadLimits, tooLarge } from '../exchange/collect-bytes.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { isJsonType, mayBeJsonRequest } from '../formats/http/media-types.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import { ApiError } from '../openai/api-error.ts'
import { modelOf, wantsStream } from '../params/default-model.ts'
import { bodyAsIs, comparedBody, type OutgoingBody } from './outgoing-body.ts'
import { limitBytes, readBytes, readStart } from './read-bytes.ts'
import { type Depth, parseBody } from './read-json.ts'

/** The limits of bodies that pass, and of bodies that are read. */
export interface PassDeps {
  readonly limits: { readonly uploadBytesMax: number }
  /** For JSON, and for forms that are read. */
  readonly reading: ReadLimits
}

/** Passes on a body that is compared with other requests' where its length is declared. A chunked body goes on chunked. */
function passTold(exchange: Exchange, deps: PassDeps, depth: Depth): OutgoingBody | Promise<OutgoingBody> {
  return exchange.request.headers.has('content-length') ? passWhole(exchange, deps, depth) : passBody(exchange, deps)
}

/**
 * Passes on a body that is compared with other requests': as a whole, and with as much of its value as `depth` says where it is
 * JSON. A body whose declared length is too large goes on as it comes.
 */
async function passWhole(exchange: Exchange, deps: PassDeps, depth: Depth): Promise<OutgoingBody> {
  const { request, body, json, named } = exchange
  const { bytesMax } = deps.reading
  if (body === undefined || Number(request.headers.get('content-length')) > bytesMax) return passBody(exchange, deps)
  const bytes = json?.encoded ?? json?.bytes ?? (await readBytes(exchange, deps.reading))
  const read = json?.outline === undefined ? await jsonOf(bytes, exchange, deps, depth) : json
  if (read === undefined) return bodyAsIs(bytes, named?.model)
  exchange.model = modelOf(read.outline) ?? named?.model
  exchange.stream = wantsStream(read.outline)
  return comparedBody(bytes, read, named?.model)
}

/** Parses a body; undefined: it is no JSON, or can't be read. */
async function jsonOf(
  bytes: Uint8Array<ArrayBuffer>,
  exchange: Exchange,
  { reading }: PassDeps,
  depth: Depth,
): Promise<JsonBody | undefined> {
  const { headers } = exchange.request
  if (headers.has('content-encoding') || !mayBeJsonRequest(headers.get('content-type'))) return undefined
  try {
    return await parseBody(bytes, exchange, reading, depth)
  } catch (thrown) {
    if (thrown instanceof ApiError && thrown.kind === 'memory_full') throw thrown
    return undefined
  }
}

/** Passes on a body as it comes: as a whole where it has arrived, else in chunks. */
export function passBody(
  { request, body, named }: Exchange,
  { limits }: PassDeps,
): OutgoingBody | Promise<OutgoingBody> {
  const asIs = (going: Parameters<typeof bodyAsIs>[0]): OutgoingBody => bodyAsIs(going, named?.model)
  if (body === undefined) return asIs(null)
  const { uploadBytesMax } = limits
  const declared = request.headers.get('content-length')
  // A chunked body goes on chunked.
  if (declared === null) return asIs(limitBytes(body.stream(), uploadBytesMax))
  if (Number(declared) > uploadBytesMax) throw tooLarge(uploadBytesMax)
  const whole = body.isComplete ? body.whole() : undefined
  if (whole instanceof Uint8Array) return asIs(whole)
  if (whole !== undefined) return whole.then(asIs)
  return isJsonType(request.headers.get('content-type'))
    ? readStart(body.stream(), Number(declared)).then(asIs)
    : asIs(body.stream())
}

/** The bodies that are read as a whole to be compared with other requests': none, those of a declared length, or any. */
export type Compared = keyof typeof PASSES

/** The functions that pass on a body which nothing else needs, by `Compared`. */
export const PASSES = { none: passBody, told: passTold, any: passWhole } as const

/** Whether the declared length of a body is more than `bytes`. */
export function isLongerThan({ request }: Exchange, bytes: number): boolean {
  return Number(request.headers.get('content-length') ?? 0) > bytes
}

/** The value of a form's `purpose` follows that word within this distance: the rest of the part's head stands between them. */
const PURPOSE_CHARS = 2048

/**
 * Passes on an upload that is too large to be read. Its stream fails with `request_too_large` where the upload seems to be a batch's file.
 * Throws `request_too_large` where its declared length is over the limit.
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

/** Whether a text contains `purpose`, and `batch` shortly after it. It searches the text once. */
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
