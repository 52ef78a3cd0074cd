import { upstreamFailure } from './upstream/failure.ts'

/** An answer of no more bytes is read at once, and not watched piece by piece. */
export const SHORT_BYTES_MAX = 64 * 1024
/** The media types of JSON (RFC 6839 §3.1). */
export const JSON_TYPE = /^application\/(?:json|[\w.+-]+\+json)/i

/**
 * Whether an answer is JSON of at most `bytesMax` bytes, and so short that nobody gains by getting it in pieces.
 *
 * @example
 * if (isShortJson(answer.headers, 1024)) return await readShort(answer, exchange.abort.signal)
 */
export function isShortJson(headers: Headers, bytesMax: number): boolean {
  const length = headers.get('content-length')
  return (
    length !== null &&
    Number(length) <= Math.min(bytesMax, SHORT_BYTES_MAX) &&
    JSON_TYPE.test(headers.get('content-type') ?? '')
  )
}

/**
 * Reads a short answer. Rejects with what the call was aborted with, or with the upstream's failure.
 *
 * @example
 * const whole = await readShort(answer, exchange.abort.signal)
 */
export async function readShort(answer: Response, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await answer.arrayBuffer())
  } catch (cause) {
    throw upstreamFailure(signal.aborted ? signal.reason : cause)
  }
}
