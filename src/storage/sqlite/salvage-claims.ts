import { constants, Database } from 'bun:sqlite'
import { CLAIM_BYTES } from '../claim-room.ts'
import { type ClaimRow, checksumOf, prepareClaimStatements, putRow } from './sqlite-claim-statements.ts'

/** How long an id counts as used when only the id could be read. */
const UNKNOWN_MS = 3_600_000

/** The numbers of claims that could be read from a damaged file. */
export interface Salvaged {
  /** Claims that could be read in full. */
  readonly whole: number
  /** Claims of which only the id could be read. */
  readonly lost: number
  /** Whether these are all the claims of the file. */
  readonly isAll: boolean
}

/**
 * Copies the claims of a damaged file into a new one: whole claims as they were, and the others as lost, as far as their ids are
 * found. Never throws for any content of the damaged file.
 *
 * @example
 * const { isAll } = salvageClaims('/var/lib/nexcode/cache.db.damaged', database, Date.now())
 */
export function salvageClaims(path: string, into: Database, now: number): Salvaged {
  const { rows, ids, isAll } = readAll(path)
  const sql = prepareClaimStatements(into)
  try {
    into
      .transaction(() => {
        for (const row of rows.values()) if (sql.has.get(row.id) === null) putRow(sql, row)
        for (const id of ids) {
          if (rows.has(id)) continue
          const unknown = { token: '', fingerprint: '', scope: '', state: 'lost', answer: null } as const
          putRow(sql, { id, ...unknown, leased_until: now, expires_at: now + UNKNOWN_MS, bytes: CLAIM_BYTES })
        }
      })
      .immediate()
  } finally {
    for (const statement of Object.values(sql)) statement.finalize()
  }
  return { whole: rows.size, lost: [...ids].filter((id) => !rows.has(id)).length, isAll }
}

/** Reads both trees from both ends: damage in one page ends a reading, but the rows on its other side can still be read. */
function readAll(path: string): {
  readonly rows: ReadonlyMap<string, ClaimRow>
  readonly ids: ReadonlySet<string>
  readonly isAll: boolean
} {
  const rows = new Map<string, ClaimRow>()
  const ids = new Set<string>()
  let isAll = false
  try {
    using database = new Database(path)
    database.fileControl(constants.SQLITE_FCNTL_PERSIST_WAL, 1)
    let bytes = 0
    const keep = (row: ClaimRow): void => {
      if (!isId(row.id)) return
      ids.add(row.id)
      if (rows.has(row.id) || checksumOf(row) !== row.checksum) return
      rows.set(row.id, row)
      bytes += row.bytes
    }
    const isRead = [
      readTo(database, 'SELECT * FROM once ORDER BY number', keep),
      readTo(database, 'SELECT * FROM once ORDER BY number DESC', keep),
      readTo(database, 'SELECT id FROM once ORDER BY id', ({ id }) => void (isId(id) && ids.add(id))),
      readTo(database, 'SELECT id FROM once ORDER BY id DESC', ({ id }) => void (isId(id) && ids.add(id))),
    ].every(Boolean)
    let total = -1
    readTo(database, "SELECT bytes FROM once_totals WHERE scope = ''", (row) => {
      total = row.bytes
    })
    isAll = isRead && rows.size === ids.size && bytes === total
  } catch {
    // Nothing of it can be read.
  }
  return { rows, ids, isAll }
}

/** Whether all that a query finds could be read. */
function readTo(database: Database, query: string, take: (row: ClaimRow) => void): boolean {
  try {
    using statement = database.prepare<ClaimRow, []>(query)
    for (const row of statement.iterate()) take(row)
    return true
  } catch {
    return false
  }
}

/** A damaged row may hold anything. */
function isId(id: unknown): id is string {
  return typeof id === 'string' && id.length > 0 && id.length <= 128
}
