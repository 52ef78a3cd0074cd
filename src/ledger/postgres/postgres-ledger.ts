import { SQL } from 'bun'
import type { Secret } from '../../config/secret.ts'
import { type DirectoryRow, type Ledger, LedgerError, NewerLedgerError, OpenLedgerError } from '../ledger.ts'
import { PostgresBookings } from './postgres-bookings.ts'
import { PostgresConnections } from './postgres-connections.ts'
import { PostgresObjects } from './postgres-objects.ts'
import { PostgresRecords } from './postgres-records.ts'
import { migratePostgres } from './postgres-schema.ts'

/** How a database is opened. */
export interface OpenPostgresOptions {
  /** How long a statement may go unanswered. */
  readonly silenceMs?: number | undefined
  /** Is told the version that older tables have before they are brought to this one. */
  readonly onMigrate?: ((from: number) => void) | undefined
}

/**
 * Opens the books in a database of Postgres, where they have a schema of their own, which is made where it is missing; `url`:
 * `postgres://user:password@host:port/database`, with `?sslmode=require` and all else that the runtime's client takes.
 *
 * Rejects with an `OpenLedgerError`, which shows nothing of the URL.
 *
 * @example
 * const ledger = await openPostgresLedger(new Secret('postgres://nexcode@db.internal/nexcode'))
 */
export async function openPostgresLedger(
  url: Secret,
  { silenceMs, onMigrate = () => undefined }: OpenPostgresOptions = {},
): Promise<Ledger> {
  const connections = connectionsTo(url, silenceMs)
  const records = new PostgresRecords(connections)
  const bookings = new PostgresBookings(connections)
  const objects = new PostgresObjects(connections)
  try {
    await migratePostgres(connections, onMigrate)
  } catch (cause) {
    await connections.close()
    throw openError(cause)
  }
  return {
    async directory() {
      const version = await records.version()
      return { version, rows: rowsOf(records) }
    },
    changesSince: (version) => records.changesSince(version),
    find: (kind, id) => records.find(kind, id),
    list: (query) => records.list(query),
    edit: (edit) => records.edit(edit),
    book: (rows) => bookings.book(rows),
    bookings: (after, limit) => bookings.rows(after, limit),
    usage: (query) => bookings.usage(query),
    spent: (scope, from, to) => bookings.spent(scope, from, to),
    lastUsed: (keyIds) => bookings.lastUsed(keyIds),
    audit: (query) => records.audit(query),
    remember: (made) => objects.remember(made),
    object: (id) => objects.find(id),
    objects: (after, limit) => objects.list(after, limit),
    async forget(before) {
      await bookings.forget(before)
      await objects.forget(before)
    },
    extent: () => bookings.extent(),
    close: () => connections.close(),
  }
}

function connectionsTo(url: Secret, silenceMs: number | undefined): PostgresConnections {
  try {
    return new PostgresConnections(url, silenceMs)
  } catch (cause) {
    // The client's words may repeat the URL, which may have a password.
    const cure = 'Write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with ?sslmode=verify-full and the like behind it.'
    throw new OpenLedgerError('is no URL that the client of Postgres takes', cure, new Error((cause as Error).name))
  }
}

async function* rowsOf(records: PostgresRecords): AsyncGenerator<readonly DirectoryRow[]> {
  for (let after = ''; ; ) {
    const part = await records.directory(after)
    if (part.length > 0) yield part
    const last = part.at(-1)
    if (last === undefined) return
    after = last.id
  }
}

function openError(cause: unknown): OpenLedgerError {
  if (cause instanceof NewerLedgerError) {
    const wrong = 'can not be opened: its tables were made by a newer version of NexCode'
    return new OpenLedgerError(wrong, 'Use that version, or another database.', cause)
  }
  const fault = cause instanceof LedgerError && cause.cause !== undefined ? cause.cause : cause
  const wrong = `can not be opened: ${reasonOf(fault)}`
  const cure = 'Look whether Postgres runs at that address, and whether the user may make a schema in that database.'
  return new OpenLedgerError(wrong, cure, cause, isAway(fault))
}

/** Whether a server can't be reached, is starting or ending, or has no room: it may be there in a moment. What it says of a name or a password stays so. */
function isAway(cause: unknown): boolean {
  if (cause instanceof LedgerError) return true
  if (!(cause instanceof SQL.PostgresError)) return false
  return /^(?:08|53|57)/.test(String(cause.errno)) || /^ERR_POSTGRES_(?:CONNECTION|IDLE|LIFETIME)/.test(cause.code)
}

/** The server's words name neither a password nor what was asked for. */
function reasonOf(cause: unknown): string {
  return cause instanceof Error && cause.message !== '' ? cause.message : 'unknown reason'
}
