import { ignoreRejection } from '../ignore-rejection.ts'
import { decodedBytesMax } from './decode-limit.ts'
import { joinInSteps } from './join-bytes.ts'

/**
 * A decoded body. `too_large`: it exceeds the limit, or the length that an honest body has; undefined: the coding is unknown or
 * wrong, or the body was cut.
 */
export type Decoded = Uint8Array<ArrayBuffer> | 'too_large' | undefined

/**
 * Decodes a body as its `Content-Encoding` says, which may be a list (RFC 9110 §8.4). A body that was cut is not decoded, nor one
 * with bytes behind its end. `onBytes` is told of each piece before it is kept;
 * a promise that it gives is awaited.
 *
 * @example
 * const plain = await decodeBody(bytes, headers.get('content-encoding'), 16 * 1024 * 1024)
 */
export async function decodeBody(
  bytes: Uint8Array<ArrayBuffer>,
  codings: string | null,
  bytesMax: number,
  onBytes: OnBytes = nothing,
): Promise<Decoded> {
  const names = codingsOf(codings)
  if (names.length > CODINGS_MAX) return undefined
  // The limit is for the bytes that came, also where they are encoded several times.
  const limits = { bytesMax: Math.min(bytesMax, decodedBytesMax(bytes.byteLength)), onBytes }
  let plain: Decoded = bytes
  // The last coding was applied last.
  for (const coding of names.toReversed()) {
    if (!(plain instanceof Uint8Array)) return plain
    plain = await decodeOnce(plain, coding, limits)
  }
  return plain
}

/** Is told of bytes that will be held; gives a promise to wait for. */
type OnBytes = (bytes: number) => Promise<void> | undefined

/** Nobody encodes a body more often: each decoding takes as long as the first. */
const CODINGS_MAX = 4

function nothing(): undefined {}

interface DecodeLimits {
  readonly bytesMax: number
  readonly onBytes: OnBytes
}

/**
 * Whether a `Content-Encoding` names a coding: `identity` is none.
 *
 * @example
 * if (isEncoded(headers.get('content-encoding'))) …
 */
export function isEncoded(codings: string | null): boolean {
  return codingsOf(codings).length > 0
}

/**
 * Whether a `Content-Encoding` names only known codings, or none.
 *
 * @example
 * if (canDecode(headers.get('content-encoding'))) …
 */
export function canDecode(codings: string | null): boolean {
  return codingsOf(codings).every((coding) => formatOf(coding) !== undefined)
}

/**
 * Decodes a body as it comes, as its `Content-Encoding` says, which must name known codings only.
 *
 * @example
 * const plain = decodeStream(answer.body, headers.get('content-encoding'))
 */
export function decodeStream(body: ReadableStream<Uint8Array>, codings: string | null): ReadableStream<Uint8Array> {
  // The last coding was applied last.
  return codingsOf(codings).reduceRight((encoded, coding) => {
    const format = formatOf(coding)
    const bytes = encoded as ReadableStream<Uint8Array<ArrayBuffer>>
    return format === undefined ? encoded : bytes.pipeThrough(new DecompressionStream(format))
  }, body)
}

/**
 * The codings that a `Content-Encoding` names, in the order in which they were applied; `identity` is left out.
 *
 * @example
 * const [coding, ...others] = codingsOf(headers.get('content-encoding'))
 */
export function codingsOf(codings: string | null): readonly string[] {
  if (codings === null) return []
  const names = codings.split(',').map((name) => name.trim().toLowerCase())
  return names.filter((name) => name !== '' && name !== 'identity')
}

async function decodeOnce(bytes: Uint8Array<ArrayBuffer>, coding: string, limits: DecodeLimits): Promise<Decoded> {
  const format = formatOf(coding)
  if (format === undefined) return undefined
  const plain = await inflate(bytes, format, limits)
  // "deflate" is zlib's form (RFC 9110 §8.4.1.2); all clients also accept it without zlib's frame.
  return plain === undefined && format === 'deflate' ? await inflate(bytes, 'deflate-raw', limits) : plain
}

async function inflate(
  bytes: Uint8Array<ArrayBuffer>,
  format: Bun.CompressionFormat,
  { bytesMax, onBytes }: DecodeLimits,
): Promise<Decoded> {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format)).getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for (;;) {
      const next = await reader.read().catch(() => undefined)
      if (next === undefined) return undefined
      if (next.done) return await joinAll(chunks, onBytes)
      size += next.value.byteLength
      if (size > bytesMax) return 'too_large'
      const resting = onBytes(next.value.byteLength)
      if (resting !== undefined) await resting
      chunks.push(next.value)
    }
  } finally {
    await ignoreRejection(reader.cancel())
  }
}

async function joinAll(chunks: readonly Uint8Array[], onBytes: OnBytes): Promise<Uint8Array<ArrayBuffer>> {
  const joining = joinInSteps(chunks)
  for (;;) {
    const { done, value } = joining.next()
    if (done === true) return value
    const resting = onBytes(0)
    if (resting !== undefined) await resting
  }
}

const FORMATS: ReadonlyMap<string, Bun.CompressionFormat> = new Map([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'brotli'],
  ['zstd', 'zstd'],
])

/**
 * The format of a body's coding, as `content-encoding` names it (RFC 9110 §8.4.1); undefined: none, or one that is not known.
 *
 * @example
 * const format = formatOf(headers.get('content-encoding'))
 */
export function formatOf(coding: string | null): Bun.CompressionFormat | undefined {
  return coding === null ? undefined : FORMATS.get(coding.trim().toLowerCase())
}

const MAGIC: readonly (readonly [Bun.CompressionFormat, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
]
const ZLIB = 0x78
const ZLIB_CHECK = 31

/**
 * The format that a body's first bytes show, whatever its headers say; undefined: no format begins so. Brotli has no signature.
 *
 * @example
 * const format = sniffFormat(chunk)
 */
export function sniffFormat(bytes: Uint8Array): Bun.CompressionFormat | undefined {
  const [first = 0, second = 0] = bytes
  // No text begins like one of these, except `x` for zlib.
  if (first === ZLIB) return bytes.byteLength > 1 && ((first << 8) | second) % ZLIB_CHECK === 0 ? 'deflate' : undefined
  return MAGIC.find(([, signs]) => signs.every((sign, at) => bytes[at] === sign))?.[0]
}
