import { decodeBody, sniffFormat } from '../formats/bytes/decode-body.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Mask } from '../upstream/mask.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** A body that decodes to more is a bomb. */
const DECODED_BYTES_MAX = 16 * 1024 * 1024
/** The number of codings without a header that are tried. */
const UNNAMED_MAX = 3

/** A whole body without the secrets that were in it. */
export interface MaskedWhole {
  readonly bytes: Bytes
  /** Whether the body was encoded, and these bytes are not. */
  readonly isDecoded: boolean
}

/**
 * Masks a whole body that is encoded as its `Content-Encoding` says, or although the header is missing, or more
 * often than it says. A body with a secret in it is given decoded, any other as it came; undefined: it can't be decoded, so nobody knows.
 *
 * @example
 * const masked = await maskCoded(received, headers.get('content-encoding'), mask.bytes)
 */
export async function maskCoded(
  bytes: Bytes,
  codings: string | null,
  maskPlain: (bytes: Bytes) => Bytes,
): Promise<MaskedWhole | undefined> {
  const plain = await decodeFully(bytes, codings)
  if (plain === undefined) return undefined
  const masked = maskPlain(plain)
  if (masked !== plain) return { bytes: masked, isDecoded: true }
  // Some bodies are plain although their header names a coding, and their readers may know that.
  return { bytes: plain === bytes ? bytes : maskPlain(bytes), isDecoded: false }
}

async function decodeFully(bytes: Bytes, codings: string | null): Promise<Bytes | undefined> {
  let plain = await decodeBody(bytes, codings, DECODED_BYTES_MAX)
  for (let times = 0; times < UNNAMED_MAX && plain instanceof Uint8Array; times += 1) {
    const format = sniffFormat(plain)
    if (format === 'gzip' || format === 'zstd') {
      plain = await decodeBody(plain, format, DECODED_BYTES_MAX)
      continue
    }
    // The other codings may begin like a text.
    const unnamed = format ?? (codings !== null && plain.some(isInNoText) ? 'br' : undefined)
    const decoded = unnamed === undefined ? undefined : await decodeBody(plain, unnamed, DECODED_BYTES_MAX)
    if (decoded === 'too_large') return undefined
    if (decoded === undefined) break
    plain = decoded
  }
  return plain instanceof Uint8Array ? plain : undefined
}

const [BACKSPACE, SHIFT_OUT, ESCAPE, SPACE] = [0x08, 0x0e, 0x1b, 0x20]

/** Whether no text has this byte. Zeros are in texts of UTF-16 and UTF-32, which are searched as they are. */
function isInNoText(byte: number): boolean {
  return byte !== 0 && byte < SPACE && byte !== ESCAPE && (byte <= BACKSPACE || byte >= SHIFT_OUT)
}

/**
 * Changes an answer's headers for a body that was encoded and is given decoded.
 *
 * @example
 * sayDecoded(answer.headers, plain)
 */
export function sayDecoded(headers: Headers, bytes: Uint8Array): void {
  headers.delete('content-encoding')
  headers.set('content-length', String(bytes.byteLength))
}

/**
 * Masks a whole body by its headers. A body with a secret is given decoded, and the headers say so. Rejects with
 * `upstream_invalid_response` if it can't be decoded.
 *
 * @example
 * const body = await maskWhole(received, headers, mask)
 */
export async function maskWhole(
  bytes: Uint8Array<ArrayBuffer>,
  headers: Headers,
  mask: Mask,
): Promise<Uint8Array<ArrayBuffer>> {
  const masked = await maskCoded(bytes, headers.get('content-encoding'), mask.bytes)
  if (masked === undefined) {
    throw new ApiError('upstream_invalid_response', { cause: 'an encoded error that cannot be searched for the key' })
  }
  if (masked.isDecoded) sayDecoded(headers, masked.bytes)
  return masked.bytes
}
