import type { PriceTable } from './price.ts'

/**
 * Loads the prices that NexCode comes with. They take some milliseconds and a few megabytes, so only those load them who need them.
 *
 * @example
 * const book = new PriceBook(await loadPrices(), settings.prices)
 */
export async function loadPrices(): Promise<PriceTable> {
  const { default: table } = await import('./prices.json', { with: { type: 'json' } })
  return table
}
