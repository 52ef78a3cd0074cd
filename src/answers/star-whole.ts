import { sniffFormat } from '../formats/bytes/content-coding.ts'
import { decodeBody } from '../formats/bytes/decode-body.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** What decodes to more is a bomb. */
const DECODED_BYTES_MAX = 16 * 1024 * 1024
/** Nobody encodes more often than a header says, and so many times behind its back. */
const UNTOLD_MAX = 3

/** A whole body as it may be shown. */
export interface ShownWhole {
  readonly bytes: Bytes
  /** It is given as it reads, in no coding. */
  readonly isDecoded: boolean
}

/**
 * Puts stars over the secrets in a whole body that is encoded as its `Content-Encoding` says, and maybe otherwise: with an empty one, or more
 * often than told. With a secret in it, it is given decoded, else as it came; undefined: nobody can decode it, and so nobody knows.
 *
 * @example
 * const shown = await starWhole(received, headers.get('content-encoding'), stars)
 */
export async function starWhole(
  bytes: Bytes,
  codings: string | null,
  stars: { readonly bytes: (bytes: Bytes) => Bytes },
): Promise<ShownWhole | undefined> {
  const plain = await decodeFully(bytes, codings)
  if (plain === undefined) return undefined
  const shown = stars.bytes(plain)
  if (shown !== plain) return { bytes: shown, isDecoded: true }
  // Some are plain whatever they say, and their readers may know.
  const asItCame = plain === bytes ? bytes : stars.bytes(bytes)
  return { bytes: asItCame, isDecoded: false }
}

async function decodeFully(bytes: Bytes, codings: string | null): Promise<Bytes | undefined> {
  let plain = await decodeBody(bytes, codings, DECODED_BYTES_MAX)
  for (let times = 0; times < UNTOLD_MAX && plain instanceof Uint8Array; times += 1) {
    const format = sniffFormat(plain)
    if (format === 'gzip' || format === 'zstd') {
      plain = await decodeBody(plain, format, DECODED_BYTES_MAX)
      continue
    }
    // These begin as a text may, too.
    const untold = format ?? (codings !== null && plain.some(isInNoText) ? 'br' : undefined)
    const decoded = untold === undefined ? undefined : await decodeBody(plain, untold, DECODED_BYTES_MAX)
    if (decoded === 'too_large') return undefined
    if (decoded === undefined) break
    plain = decoded
  }
  return plain instanceof Uint8Array ? plain : undefined
}

const [BACKSPACE, SHIFT_OUT, ESCAPE, SPACE] = [0x08, 0x0e, 0x1b, 0x20]

/** Whether a byte is in no text, but in that of UTF-16 and UTF-32, which is searched as it is. */
function isInNoText(byte: number): boolean {
  return byte !== 0 && byte < SPACE && byte !== ESCAPE && (byte <= BACKSPACE || byte >= SHIFT_OUT)
}

/**
 * Says in an answer's headers that its body, which had been encoded, is given as it reads.
 *
 * @example
 * sayDecoded(answer.headers, plain)
 */
export function sayDecoded(headers: Headers, bytes: Uint8Array): void {
  headers.delete('content-encoding')
  headers.set('content-length', String(bytes.byteLength))
}
