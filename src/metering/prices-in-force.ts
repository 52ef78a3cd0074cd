import type { Settings } from '../config/settings.ts'
import type { PriceTable } from '../pricing/price.ts'
import { PriceBook } from '../pricing/price-book.ts'

/** What the prices in force are made of. */
export interface PriceSources {
  /** The prices that NexCode comes with. */
  readonly priceTable: PriceTable
  /** The settings in force. */
  readonly settings: () => Pick<Settings, 'prices'>
}

/**
 * Makes the function that gives the prices in force; they are made anew with the settings.
 *
 * @example
 * const prices = createPrices({ priceTable, settings: () => config.settings })
 */
export function createPrices({ priceTable, settings }: PriceSources): () => PriceBook {
  let made: { readonly of: unknown; readonly book: PriceBook } | undefined
  return () => {
    const now = settings()
    if (made === undefined || made.of !== now) made = { of: now, book: new PriceBook(priceTable, now.prices) }
    return made.book
  }
}
