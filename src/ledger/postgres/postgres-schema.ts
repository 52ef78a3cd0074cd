import { NewerLedgerError } from '../ledger.ts'
import { GROUP_COLUMNS, SUM_COLUMNS } from '../roll-up.ts'
import { type PostgresConnections, SCHEMA } from './postgres-connections.ts'

/** "NXLG": the lock under which tables are made, so that of many nodes that start at once one does it. */
const MIGRATION_LOCK = 0x4e584c47

const GROUPS = GROUP_COLUMNS.map((name) => `${name} TEXT NOT NULL`).join(', ')
const countColumns = (names: readonly string[]): string =>
  names.map((name) => `"${name}" ${name === 'seconds' ? 'DOUBLE PRECISION' : 'BIGINT'} NOT NULL`).join(', ')
const SUMS = countColumns(SUM_COLUMNS)
const COUNTS = countColumns(SUM_COLUMNS.filter((name) => name !== 'requests'))

/** The steps from one version of the tables to the next. A step that was released is never changed. */
const STEPS: readonly string[] = [
  `
  CREATE TABLE records (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, project TEXT NOT NULL, owner TEXT NOT NULL, created_at BIGINT NOT NULL,
    version BIGINT NOT NULL, digest BYTEA UNIQUE, expires_at BIGINT NOT NULL, is_archived INTEGER NOT NULL,
    is_of_file INTEGER NOT NULL, limits TEXT, former TEXT, json TEXT NOT NULL
  );
  CREATE INDEX records_by_creation ON records (kind, project, created_at, id);
  CREATE INDEX records_by_kind ON records (kind, created_at, id);
  CREATE INDEX records_of_file ON records (kind, created_at, id) WHERE is_of_file = 1;
  CREATE INDEX records_by_version ON records (version);
  CREATE TABLE removed (id TEXT PRIMARY KEY, digests TEXT NOT NULL, version BIGINT NOT NULL);
  CREATE INDEX removed_by_version ON removed (version);
  CREATE TABLE edition (version BIGINT NOT NULL);
  INSERT INTO edition VALUES (0);
  CREATE TABLE audit (
    id TEXT PRIMARY KEY, at BIGINT NOT NULL, type TEXT NOT NULL, actor TEXT NOT NULL, project TEXT NOT NULL, resource TEXT NOT NULL,
    json TEXT NOT NULL
  );
  CREATE INDEX audit_by_time ON audit (at, id);
  CREATE TABLE groups (no INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ${GROUPS}, UNIQUE (${GROUP_COLUMNS.join(', ')}));
  CREATE TABLE keys (no INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id TEXT NOT NULL UNIQUE, used_at BIGINT NOT NULL);
  CREATE TABLE bookings (
    id BYTEA PRIMARY KEY, at BIGINT NOT NULL, key_no INTEGER NOT NULL, group_no INTEGER NOT NULL, ${COUNTS}, json TEXT NOT NULL
  );
  CREATE INDEX bookings_by_time ON bookings USING brin (at);
  CREATE TABLE totals (
    width INTEGER NOT NULL, bucket BIGINT NOT NULL, group_no INTEGER NOT NULL, ${SUMS}, PRIMARY KEY (width, bucket, group_no)
  );
  CREATE TABLE sums (
    width INTEGER NOT NULL, bucket BIGINT NOT NULL, group_no INTEGER NOT NULL, ${SUMS}, PRIMARY KEY (width, bucket, group_no)
  );
  CREATE TABLE key_quarters (
    key_no INTEGER NOT NULL, bucket BIGINT NOT NULL, group_no INTEGER NOT NULL, ${SUMS}, PRIMARY KEY (key_no, bucket, group_no)
  );
  CREATE TABLE key_days (
    bucket BIGINT NOT NULL, key_no INTEGER NOT NULL, group_no INTEGER NOT NULL, ${SUMS}, PRIMARY KEY (bucket, key_no, group_no)
  );
  CREATE INDEX key_days_by_key ON key_days (key_no, bucket);
  `,
]

/** Makes missing tables, and takes those of an older version to this one. Rejects with a `NewerLedgerError`, and changes nothing then. */
export function migratePostgres(database: PostgresConnections): Promise<void> {
  return database.begin(async (run) => {
    await run('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK])
    await run(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`)
    await run(`CREATE TABLE IF NOT EXISTS ${SCHEMA}.ledger (version INTEGER NOT NULL)`)
    const [row] = await run('SELECT version FROM ledger')
    const version = Number(row?.[0] ?? 0)
    if (version > STEPS.length) throw new NewerLedgerError('This ledger is one of a newer version.')
    if (version === STEPS.length) return
    for (const step of STEPS.slice(version)) for (const statement of step.trim().split(';\n')) await run(statement)
    await run('DELETE FROM ledger')
    await run('INSERT INTO ledger VALUES ($1)', [STEPS.length])
  })
}
