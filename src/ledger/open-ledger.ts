import { Secret } from '../config/secret.ts'
import { type Ledger, OpenLedgerError } from './ledger.ts'
import { openPostgresLedger } from './postgres/postgres-ledger.ts'
import { IN_MEMORY } from './sqlite/open-database.ts'
import { openSqliteLedger } from './sqlite/sqlite-ledger.ts'

/**
 * Opens the books that a setting names: `memory` (for as long as this process lives), `sqlite:PATH` or `postgres://…`. Rejects with an `OpenLedgerError`,
 * which never shows a password.
 *
 * @example
 * const ledger = await openLedger('sqlite:/var/lib/nexcode/ledger.db')
 */
export async function openLedger(spec: string): Promise<Ledger> {
  if (spec === 'memory') return openSqliteLedger(IN_MEMORY)
  if (/^postgres(?:ql)?:/.test(spec)) return openPostgresLedger(new Secret(spec))
  if (spec.startsWith('sqlite:')) return openSqliteLedger(spec.slice('sqlite:'.length))
  // The error does not repeat the value: it may be a URL with a password in it and a mistyped scheme.
  throw new OpenLedgerError(
    'is none that there is',
    'Use memory, sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.',
  )
}
