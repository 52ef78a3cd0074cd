import type { Database, Statement } from 'bun:sqlite'

/** Made where they are not there: what an earlier version of this program has kept stays. */
export const CLAIM_TABLES = `
  CREATE TABLE IF NOT EXISTS claims (
    id TEXT PRIMARY KEY,
    token TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    scope TEXT NOT NULL,
    state TEXT NOT NULL,
    leased_until REAL NOT NULL,
    expires_at REAL NOT NULL,
    bytes INTEGER NOT NULL,
    answer BLOB
  ) STRICT;
  CREATE INDEX IF NOT EXISTS claims_by_end ON claims (expires_at);
  CREATE INDEX IF NOT EXISTS claims_by_scope ON claims (scope, state, expires_at);
  CREATE TABLE IF NOT EXISTS claim_totals (scope TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO claim_totals VALUES ('', 0);
  CREATE TRIGGER IF NOT EXISTS claim_added AFTER INSERT ON claims BEGIN
    INSERT INTO claim_totals VALUES (new.scope, new.bytes), ('', new.bytes)
      ON CONFLICT (scope) DO UPDATE SET bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER IF NOT EXISTS claim_changed AFTER UPDATE OF bytes ON claims BEGIN
    UPDATE claim_totals SET bytes = bytes - old.bytes + new.bytes WHERE scope IN ('', new.scope);
  END;
  CREATE TRIGGER IF NOT EXISTS claim_removed AFTER DELETE ON claims BEGIN
    UPDATE claim_totals SET bytes = bytes - old.bytes WHERE scope IN ('', old.scope);
    DELETE FROM claim_totals WHERE scope = old.scope AND scope <> '' AND bytes <= 0;
  END;
`

/** A claim, as it stands in the file. */
export interface ClaimRow {
  readonly token: string
  readonly fingerprint: string
  readonly state: 'running' | 'lost' | 'unkept' | 'answered'
  readonly leased_until: number
  readonly expires_at: number
  readonly answer: Uint8Array<ArrayBuffer> | null
}

type NewRow = [
  ...[id: string, token: string, fingerprint: string, scope: string, state: string],
  ...[leasedUntil: number, expiresAt: number, bytes: number, answer: Uint8Array | null],
]

/** What claims ask of their file, ready to run. */
export interface ClaimStatements {
  readonly get: Statement<ClaimRow, [id: string]>
  readonly put: Statement<unknown, NewRow>
  readonly renew: Statement<
    { readonly id: string },
    [leasedUntil: number, expiresAt: number, id: string, token: string]
  >
  readonly release: Statement<unknown, [id: string, token: string]>
  readonly remove: Statement<unknown, [id: string]>
  /** Has one that was running stand as lost until then. */
  readonly lose: Statement<unknown, [expiresAt: number, id: string]>
  /** The same for those that were running when they should have been over. */
  readonly loseAll: Statement<unknown, [expiresAt: number, at: number, rowsMax: number]>
  readonly expire: Statement<{ readonly id: string }, [at: number, rowsMax: number]>
  readonly held: Statement<{ readonly bytes: number }, [scope: string]>
  readonly letGo: Statement<{ readonly id: string }, [bytes: number, scope: string]>
  readonly count: Statement<{ readonly entries: number }, []>
  /** Takes out what has ended, of a scope where one is given. */
  readonly purge: Statement<{ readonly id: string }, [scope: string | null, rowsMax: number]>
}

/** Prepares the statements of claims. */
export function prepareClaimStatements(database: Database): ClaimStatements {
  return {
    get: database.prepare(
      'SELECT token, fingerprint, state, leased_until, expires_at, answer FROM claims WHERE id = ?',
    ),
    put: database.prepare('INSERT INTO claims VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    renew: database.prepare(
      "UPDATE claims SET leased_until = ?, expires_at = ? WHERE id = ? AND token = ? AND state = 'running' RETURNING id",
    ),
    release: database.prepare("DELETE FROM claims WHERE id = ? AND token = ? AND state = 'running'"),
    remove: database.prepare('DELETE FROM claims WHERE id = ?'),
    lose: database.prepare("UPDATE claims SET state = 'lost', expires_at = ? WHERE id = ?"),
    loseAll: database.prepare(`
      UPDATE claims SET state = 'lost', expires_at = ? WHERE id IN (
        SELECT id FROM claims WHERE expires_at <= ? AND state = 'running' LIMIT ?)`),
    expire: database.prepare(`
      DELETE FROM claims WHERE id IN (
        SELECT id FROM claims WHERE expires_at <= ? AND state <> 'running' LIMIT ?) RETURNING id`),
    held: database.prepare('SELECT bytes FROM claim_totals WHERE scope = ?'),
    letGo: database.prepare(`
      UPDATE claims SET state = 'unkept', answer = NULL, bytes = ? WHERE id = (
        SELECT id FROM claims WHERE scope = ? AND state = 'answered' ORDER BY expires_at LIMIT 1) RETURNING id`),
    count: database.prepare("SELECT count(*) AS entries FROM claims WHERE state = 'answered'"),
    purge: database.prepare(`
      DELETE FROM claims WHERE id IN (
        SELECT id FROM claims WHERE state <> 'running' AND (?1 IS NULL OR scope = ?1) LIMIT ?2) RETURNING id`),
  }
}
