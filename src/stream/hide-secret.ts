import { formatOf } from '../bytes/content-coding.ts'
import { decodeBody } from '../bytes/decode-body.ts'
import type { Secret } from '../config/secret.ts'
import { ApiError } from '../openai/api-error.ts'

const STAR = 0x2a

/** No error's text is longer; what decodes to more is a bomb. */
const DECODED_BYTES_MAX = 16 * 1024 * 1024

/** Whether a body can only be searched for a secret when it is there as a whole, because it is encoded. */
export function isEncoded(headers: Headers): boolean {
  return formatOf(headers.get('content-encoding')) !== undefined
}

/**
 * Hides a secret in an answer's headers and body by stars of the same length; an answer without it stays as it came.
 *
 * An encoded body is searched where it is whole. If the secret is in it, it goes on decoded, and `headers` say so.
 * Throws `upstream_invalid_response` for one that decodes to more than can be searched.
 *
 * @example
 * const shown = await hideSecret(body, headers, config.upstream.apiKey)
 */
export async function hideSecret(
  body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null,
  headers: Headers,
  hidden: Secret,
): Promise<ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null> {
  const secret = hidden.reveal()
  const stars = '*'.repeat(secret.length)
  for (const [name, value] of [...headers]) {
    if (value.includes(secret)) headers.set(name, value.replaceAll(secret, stars))
  }
  if (body === null) return null
  const needle = new TextEncoder().encode(secret)
  if (body instanceof ReadableStream) return maskStream(body, needle)
  const plain = await decodeBody(body, headers.get('content-encoding'), DECODED_BYTES_MAX)
  if (plain === 'too_large') {
    throw new ApiError('upstream_invalid_response', { cause: 'an encoded error too large to search for the key' })
  }
  if (plain === undefined || !maskIn(plain, needle)) return body
  if (plain !== body) {
    headers.delete('content-encoding')
    headers.set('content-length', String(plain.byteLength))
  }
  return plain
}

/** Masks whatever the chunking; the length stays, so that a Content-Length stays true. */
function maskStream(source: ReadableStream<Uint8Array>, needle: Uint8Array): ReadableStream<Uint8Array> {
  let held: Uint8Array = new Uint8Array()
  return source.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        const joined = new Uint8Array(held.byteLength + chunk.byteLength)
        joined.set(held)
        joined.set(chunk, held.byteLength)
        maskIn(joined, needle)
        // The last bytes may be the beginning of the secret: they wait for the next chunk.
        const safe = Math.max(0, joined.byteLength - (needle.byteLength - 1))
        held = joined.subarray(safe)
        if (safe > 0) controller.enqueue(joined.subarray(0, safe))
      },
      flush(controller) {
        if (held.byteLength > 0) controller.enqueue(held)
      },
    }),
  )
}

/** Tells whether there was anything to mask. */
function maskIn(bytes: Uint8Array, needle: Uint8Array): boolean {
  const [first] = needle
  if (first === undefined) return false
  let isFound = false
  for (let at = bytes.indexOf(first); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (at + needle.byteLength > bytes.byteLength) break
    if (!needle.every((byte, index) => bytes[at + index] === byte)) continue
    bytes.fill(STAR, at, at + needle.byteLength)
    isFound = true
  }
  return isFound
}
