import type { Admission } from '../access/admission.ts'
import type { ReadLimits } from '../exchange/collect-bytes.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { isJsonType } from '../formats/http/media-types.ts'
import { readBytes } from '../requests/read-bytes.ts'

/** The dependencies of `takePlace`. */
export interface TakePlaceDeps {
  readonly admission: Admission
  readonly reading: ReadLimits
}

/** A JSON body that passes unread is waited for up to this size: a longer one goes on as it comes. */
const AWAITED_BYTES_MAX = 1024 * 1024
/** The routes whose bodies are files, whatever their type says. */
const FILE_ENDPOINTS: ReadonlySet<string> = new Set(['files', 'uploads', 'containers'])

/**
 * Takes one of the places for an exchange, which keeps it to its end. A JSON call takes it once its body is there (then it is a
 * promise), so that a client that sends slowly, or never, holds nobody up. Any other body that is still to come goes on as it comes;
 * such exchanges get only a part of the places.
 *
 * Throws, or rejects with, `overloaded`, `draining`, or the body's error.
 *
 * @example
 * const taking = takePlace(exchange, deps)
 */
export function takePlace(exchange: Exchange, { admission, reading }: TakePlaceDeps): Promise<void> | undefined {
  const { body, endpoint } = exchange
  const caller = callerOf(exchange)
  if (body !== undefined && !body.isComplete) {
    if (endpoint !== undefined) return awaitBody(exchange, caller, reading, admission)
    if (isAwaited(exchange)) return awaitBody(exchange, caller, { ...reading, bytesMax: AWAITED_BYTES_MAX }, admission)
    const arrived = admission.upload()
    exchange.onceArrived(arrived)
    exchange.atEnd(arrived)
  }
  exchange.atEnd(admission.admit(caller, exchange.startedAt))
  return undefined
}

/**
 * Gives the caller that a place is counted for: the holder of a token or of a key of ours, or else the connection's address, since any key can be made up
 * and only the upstream knows which ones are good.
 *
 * @example
 * admission.admit(callerOf(exchange), exchange.startedAt)
 */
export function callerOf(exchange: Exchange): string {
  const { principal, from } = exchange
  return principal.kind === 'token' || principal.kind === 'key' ? principal.id : from
}

async function awaitBody(exchange: Exchange, caller: string, limits: ReadLimits, admission: Admission): Promise<void> {
  exchange.atEnd(admission.arrive())
  const bytes = await readBytes(exchange, limits)
  exchange.body = {
    isComplete: true,
    isCounted: true,
    length: bytes.byteLength,
    whole: () => bytes,
    peek: () => bytes,
    stream: () => new Blob([bytes]).stream(),
  }
  exchange.atEnd(admission.admit(caller, performance.now(), true))
}

/** Whether a body that may pass unread is JSON of a size that is known to be small. */
function isAwaited({ request, endpointName }: Exchange): boolean {
  const { headers } = request
  const bytes = headers.get('content-length')
  if (bytes === null || Number(bytes) > AWAITED_BYTES_MAX || FILE_ENDPOINTS.has(endpointName)) return false
  return isJsonType(headers.get('content-type'))
}
