/** Nano-dollars in a cent. */
const NANOS = 10_000_000n
/** The most cents that are taken: a billion dollars. */
export const CENTS_MAX = 100_000_000_000

/**
 * Nano-dollars of an amount in cents.
 *
 * @example
 * nanosOf(5000) // 50_000_000_000n, fifty dollars
 */
export function nanosOf(cents: number): bigint {
  const whole = Math.trunc(cents)
  return BigInt(whole) * NANOS + BigInt(Math.round((cents - whole) * Number(NANOS)))
}

/**
 * Cents of an amount in nano-dollars, with their fractions.
 *
 * @example
 * centsOf(1_234_500_000n) // 123.45
 */
export function centsOf(nanos: bigint): number {
  return Number(nanos / NANOS) + Number(nanos % NANOS) / Number(NANOS)
}

/**
 * Dollars of an amount in nano-dollars.
 *
 * @example
 * dollarsOf(1_234_500_000n) // 1.2345
 */
export function dollarsOf(nanos: bigint): number {
  return Number(nanos) / 1e9
}
