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
