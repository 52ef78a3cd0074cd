import type { Database, Statement } from 'bun:sqlite'

/**
 * The claims' tables, made where they are missing: claims of an earlier version of this program stay. A claim can be found by its
 * number, in the table's own tree, and by its id, in another tree: so damage to one of them is seen.
 */
export const CLAIM_TABLES = `
  DROP TABLE IF EXISTS claims;
  DROP TABLE IF EXISTS claim_totals;
  CREATE TABLE IF NOT EXISTS once (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    token TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    scope TEXT NOT NULL,
    state TEXT NOT NULL,
    leased_until REAL NOT NULL,
    expires_at REAL NOT NULL,
    bytes INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    answer BLOB
  ) STRICT;
  CREATE INDEX IF NOT EXISTS once_by_end ON once (expires_at);
  CREATE INDEX IF NOT EXISTS once_by_scope ON once (scope, state, expires_at);
  CREATE TABLE IF NOT EXISTS once_totals (scope TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO once_totals VALUES ('', 0);
  CREATE TRIGGER IF NOT EXISTS once_added AFTER INSERT ON once BEGIN
    INSERT INTO once_totals VALUES (new.scope, new.bytes), ('', new.bytes)
      ON CONFLICT (scope) DO UPDATE SET bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER IF NOT EXISTS once_changed AFTER UPDATE OF bytes ON once BEGIN
    UPDATE once_totals SET bytes = bytes - old.bytes + new.bytes WHERE scope IN ('', new.scope);
  END;
  CREATE TRIGGER IF NOT EXISTS once_removed AFTER DELETE ON once BEGIN
    UPDATE once_totals SET bytes = bytes - old.bytes WHERE scope IN ('', old.scope);
    DELETE FROM once_totals WHERE scope = old.scope AND scope <> '' AND bytes <= 0;
  END;
  CREATE TABLE IF NOT EXISTS register (era TEXT NOT NULL, settled_at REAL NOT NULL, unknown_since REAL NOT NULL) STRICT;
`

/** A claim's row in the file. */
export interface ClaimRow {
  readonly id: string
  readonly token: string
  readonly fingerprint: string
  readonly scope: string
  readonly state: 'running' | 'lost' | 'unkept' | 'answered'
  readonly leased_until: number
  readonly expires_at: number
  readonly bytes: number
  readonly checksum: number
  readonly answer: Uint8Array<ArrayBuffer> | null
}

/** A file's register: since when it takes claims, and until when an unreadable file before it may have taken some. */
export interface RegisterRow {
  readonly era: string
  /** Milliseconds since 1970. */
  readonly settled_at: number
  /** Milliseconds since 1970; 0: all are known. */
  readonly unknown_since: number
}

type NewRow = [
  ...[number: number, id: string, token: string, fingerprint: string, scope: string, state: string],
  ...[leasedUntil: number, expiresAt: number, bytes: number, checksum: number, answer: Uint8Array | null],
]

const COLUMNS = 'id, token, fingerprint, scope, state, leased_until, expires_at, bytes, checksum, answer'

/** The claims' prepared statements. */
export interface ClaimStatements {
  readonly get: Statement<ClaimRow, [number: number]>
  /** Whether the tree of ids has the claim. */
  readonly has: Statement<{ readonly number: number }, [id: string]>
  readonly put: Statement<unknown, NewRow>
  readonly remove: Statement<unknown, [id: string, number: number]>
  /** Running claims whose rows have expired. */
  readonly overdue: Statement<ClaimRow, [at: number, rowsMax: number]>
  readonly expire: Statement<{ readonly id: string }, [at: number, rowsMax: number]>
  readonly held: Statement<{ readonly bytes: number }, [scope: string]>
  /** A caller's oldest answer, which gives way first. */
  readonly oldest: Statement<ClaimRow, [scope: string]>
  readonly count: Statement<{ readonly entries: number }, []>
  /** Removes ended claims, only of a scope where one is given. */
  readonly purge: Statement<{ readonly id: string }, [scope: string | null, rowsMax: number]>
  readonly register: Statement<RegisterRow, []>
}

/** Prepares the statements of claims. */
export function prepareClaimStatements(database: Database): ClaimStatements {
  return {
    get: database.prepare(`SELECT ${COLUMNS} FROM once WHERE number = ?`),
    has: database.prepare('SELECT number FROM once WHERE id = ?'),
    put: database.prepare('INSERT INTO once VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    remove: database.prepare('DELETE FROM once WHERE id = ? AND number = ?'),
    overdue: database.prepare(`SELECT ${COLUMNS} FROM once WHERE expires_at <= ? AND state = 'running' LIMIT ?`),
    expire: database.prepare(`
      DELETE FROM once WHERE number IN (
        SELECT number FROM once WHERE expires_at <= ? AND state <> 'running' LIMIT ?) RETURNING id`),
    held: database.prepare('SELECT bytes FROM once_totals WHERE scope = ?'),
    oldest: database.prepare(
      `SELECT ${COLUMNS} FROM once WHERE scope = ? AND state = 'answered' ORDER BY expires_at LIMIT 1`,
    ),
    count: database.prepare("SELECT count(*) AS entries FROM once WHERE state = 'answered'"),
    purge: database.prepare(`
      DELETE FROM once WHERE number IN (
        SELECT number FROM once WHERE state <> 'running' AND (?1 IS NULL OR scope = ?1) LIMIT ?2) RETURNING id`),
    register: database.prepare('SELECT era, settled_at, unknown_since FROM register'),
  }
}

/** Computes a claim's number from its id; two ids practically never have the same one. */
export function rowNumberOf(id: string): number {
  return Number(Bun.hash.wyhash(id) & 0x1f_ffff_ffff_ffffn)
}

/** Computes the checksum of a claim's row, without its number and its size: a row with another checksum is damaged. */
export function checksumOf(row: Omit<ClaimRow, 'checksum' | 'bytes'>): number {
  const { id, token, fingerprint, scope, state, leased_until: leasedUntil, expires_at: expiresAt, answer } = row
  const head = Bun.hash.crc32([id, token, fingerprint, scope, state, leasedUntil, expiresAt].join('\n'))
  return answer === null ? head : (head ^ Bun.hash.crc32(answer)) >>> 0
}

/** Writes a claim's row, with its checksum, in place of the row with its number. */
export function putRow(sql: Pick<ClaimStatements, 'put'>, row: Omit<ClaimRow, 'checksum'>): void {
  const { id, token, fingerprint, scope, state, leased_until: leasedUntil, expires_at: expiresAt, bytes, answer } = row
  const head = [rowNumberOf(id), id, token, fingerprint, scope, state] as const
  sql.put.run(...head, leasedUntil, expiresAt, bytes, checksumOf(row), answer)
}
