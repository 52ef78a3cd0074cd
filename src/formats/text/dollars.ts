const NANO = 1_000_000_000n
const DECIMALS = 9

/**
 * Writes nano-dollars as dollars, exactly: two decimals, or as many as there are.
 *
 * @example
 * writeDollars(5_000_000_000n) // '5.00'
 * writeDollars(1_500_000n) // '0.0015'
 */
export function writeDollars(nano: bigint): string {
  const sign = nano < 0n ? '-' : ''
  const amount = nano < 0n ? -nano : nano
  const decimals = (amount % NANO).toString().padStart(DECIMALS, '0').replace(/0+$/, '').padEnd(2, '0')
  return `${sign}${amount / NANO}.${decimals}`
}
