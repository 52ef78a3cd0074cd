/** More than so many times its length no honest body decodes to: text comes to three to ten times, tables and logs to thirty. */
const RATIO_MAX = 50
/** What decodes to no more is let through, however short it is. */
const ALWAYS_BYTES = 256 * 1024

/**
 * What a body of `encodedBytes` may decode to, in bytes: fifty times as much, and 256 KiB at the least.
 *
 * @example
 * if (plainBytes > decodedBytesMax(encoded.byteLength)) throw new ApiError('decodes_to_too_much')
 */
export function decodedBytesMax(encodedBytes: number): number {
  return Math.max(ALWAYS_BYTES, RATIO_MAX * encodedBytes)
}
