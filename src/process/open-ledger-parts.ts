import type { AppDeps } from '../app.ts'
import type { Settings } from '../config/settings.ts'
import type { OpenBooksDeps } from './open-books.ts'

/** The parts of a server with a ledger. */
export interface LedgerParts {
  readonly parts: Required<Pick<AppDeps, 'books' | 'createMetering' | 'management'>>
  /** Takes over what another file declares. */
  readonly take: (settings: Settings) => Promise<void>
}

/**
 * Opens the ledger that the settings name, and loads what only a server with one needs: it takes megabytes, and has no part in any other
 * server. undefined: the settings name none.
 *
 * Rejects with an `OpenLedgerError`.
 */
export async function openLedgerParts(settings: Settings, deps: OpenBooksDeps): Promise<LedgerParts | undefined> {
  if (settings.ledger.store === undefined) return undefined
  const { openBooks } = await import('./open-books.ts')
  const { organization } = await import('../server/routes/organization.ts')
  const { createAlertWatch } = await import('../administration/alert-watch.ts')
  const { createMetering } = await import('../metering/metering.ts')
  const { loadPrices } = await import('../pricing/price-book.ts')
  const { books, take } = await openBooks(settings.ledger.store, settings, deps)
  const own = { books, priceTable: await loadPrices(), sha256: deps.sha256 }
  return {
    parts: {
      books,
      createMetering: (settings) => createMetering({ ...own, settings }),
      management: { organization, createAlertWatch },
    },
    take,
  }
}
