/** Constants of MurmurHash3's 32-bit finalizer, and the odd numbers that it multiplies words by. */
const MIX_1 = 0x85eb_ca6b
const MIX_2 = 0xc2b2_ae35
const FACTOR_1 = 0xcc9e_2d51
const FACTOR_2 = 0x1b87_3593

/**
 * Gives a checksum of 64 bits, as two numbers: for bytes that were torn or mixed up, not for those that someone forged.
 *
 * Two lanes take turns at words of four bytes, which is several times as fast as a table's CRC byte by byte.
 *
 * @example
 * const [low, high] = checksumOf(bytes)
 */
export function checksumOf(bytes: Uint8Array): readonly [low: number, high: number] {
  const { byteLength } = bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, byteLength)
  let low = byteLength | 0
  let high = ~byteLength
  let at = 0
  for (; at + 8 <= byteLength; at += 8) {
    low = Math.imul((low << 13) | (low >>> 19), 5) + Math.imul(view.getInt32(at, true), FACTOR_1)
    high = Math.imul((high << 15) | (high >>> 17), 5) + Math.imul(view.getInt32(at + 4, true), FACTOR_2)
  }
  for (; at < byteLength; at += 1) {
    low = Math.imul((low << 13) | (low >>> 19), 5) + Math.imul(view.getUint8(at) + 1, FACTOR_1)
    high = Math.imul((high << 15) | (high >>> 17), 5) + Math.imul(view.getUint8(at) + 1, FACTOR_2)
  }
  return [mix(low), mix(high)]
}

function mix(lane: number): number {
  let mixed = lane | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), MIX_1)
  mixed = Math.imul(mixed ^ (mixed >>> 13), MIX_2)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
