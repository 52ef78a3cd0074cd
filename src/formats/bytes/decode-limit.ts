/** No honest body decodes to more times its length: text comes to three to ten times, tables and logs to thirty. */
const RATIO_MAX = 50
/** A body that decodes to no more bytes than this is let through, however short it is. */
const ALWAYS_BYTES = 256 * 1024

/**
 * The most bytes to which a body of `encodedBytes` may decode: fifty times as many, and 256 KiB at the least.
 *
 * @example
 * if (plainBytes > decodedBytesMax(encoded.byteLength)) throw new ApiError('decodes_to_too_much')
 */
export function decodedBytesMax(encodedBytes: number): number {
  return Math.max(ALWAYS_BYTES, RATIO_MAX * encodedBytes)
}
