import type { Settings } from '../config/settings.ts'
import { declaredRecords, declaredTwice } from '../ledger/declared-records.ts'
import { OpenLedgerError } from '../ledger/ledger.ts'

/**
 * Throws an `OpenLedgerError` where the file declares one key twice, perhaps once as its digest: it would be of two callers.
 *
 * @example
 * assertDeclared(config.settings, sha256)
 */
export function assertDeclared({ records }: Settings, sha256: (text: string) => Uint8Array): void {
  const twice = declaredTwice(declaredRecords(records, sha256, 0))
  if (twice === undefined) return
  throw new OpenLedgerError(
    `gets one key twice from the file: ${twice.join(' and ')} have the same digest`,
    'Give each a key of its own: a key says who is calling.',
  )
}
