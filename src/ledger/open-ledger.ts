import { Secret } from '../config/secret.ts'
import { type Ledger, OpenLedgerError } from './ledger.ts'
import { openPostgresLedger } from './postgres/postgres-ledger.ts'
import { IN_MEMORY } from './sqlite/open-database.ts'
import { openSqliteLedger } from './sqlite/sqlite-ledger.ts'

/**
 * Opens the books that a setting names: `memory` (for as long as this process lives), `sqlite:PATH` or `postgres://…`. Rejects with an `OpenLedgerError`,
 * which never shows a password. `onMigrate`: is told the version that older tables have before they are brought to this one.
 *
 * @example
 * const ledger = await openLedger('sqlite:/var/lib/nexcode/ledger.db')
 */
export async function openLedger(spec: string, onMigrate?: (from: number) => void): Promise<Ledger> {
  if (spec === 'memory') return openSqliteLedger(IN_MEMORY)
  if (/^postgres(?:ql)?:/.test(spec)) return openPostgresLedger(new Secret(spec), { onMigrate })
  if (spec.startsWith('sqlite:')) return openSqliteLedger(spec.slice('sqlite:'.length), onMigrate)
  // The error does not repeat the value: it may be a URL with a password in it and a mistyped scheme.
  throw new OpenLedgerError(
    'is none that there is',
    'Use memory, sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.',
  )
}
