const FORM_BOUNDARY = /^multipart\/[^;]+;(?:.*;)?\s*boundary=(?:"([^"]+)"|([^\s;]+))/i
/** One character for each byte, and another one for another. */
const BYTES = new TextDecoder('latin1')
const TO_BYTES = new TextEncoder()

/**
 * Gives what two bodies that say the same have in common: of a form, all but the line between its parts, which SDKs make anew with
 * each try.
 *
 * @example
 * const body = comparableBody(received, request.headers.get('content-type'))
 */
export function comparableBody(body: Uint8Array<ArrayBuffer>, type: string | null): Uint8Array<ArrayBuffer> {
  const [, quoted, plain] = FORM_BOUNDARY.exec(type ?? '') ?? []
  const boundary = quoted ?? plain
  if (boundary === undefined) return body
  return TO_BYTES.encode(BYTES.decode(body).replaceAll(`--${boundary}`, '--'))
}
