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
