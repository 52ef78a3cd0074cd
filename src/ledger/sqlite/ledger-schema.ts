import type { Database } from 'bun:sqlite'
import { NewerLedgerError } from '../ledger.ts'

/** "NXLG", in the header of our files. */
const APPLICATION_ID = 0x4e584c47

/** What the first version's tables group by and add up: a later one adds what came later. */
const GROUP_NAMES = ['project', 'model', 'endpoint', 'upstream', 'tier', 'batch']
const COUNT_NAMES = [
  ...[
    'cost',
    'saved',
    'inputText',
    'inputAudio',
    'inputImage',
    'inputCachedText',
    'inputCachedAudio',
    'inputCachedImage',
  ],
  ...['inputCacheWrite', 'inputCacheWrite1h', 'inputCacheWrite12h', 'outputText', 'outputAudio', 'outputImage'],
  ...['outputReasoning', 'images', 'seconds', 'characters', 'webSearches', 'fileSearches', 'codeSessions'],
]
const GROUPS = GROUP_NAMES.map((name) => `${name} TEXT NOT NULL`).join(', ')
const COUNTS = COUNT_NAMES.map(
  (name) => `"${name}" ${name === 'seconds' ? 'REAL' : 'INTEGER'} NOT NULL DEFAULT 0`,
).join(', ')
const SUMS = `requests INTEGER NOT NULL DEFAULT 0, ${COUNTS}`

/** The steps from one version of the tables to the next. A step that was released is never changed. */
const STEPS: readonly string[] = [
  `
  CREATE TABLE records (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, project TEXT NOT NULL, owner TEXT NOT NULL, created_at INTEGER NOT NULL,
    version INTEGER NOT NULL, digest BLOB UNIQUE, expires_at INTEGER NOT NULL, is_archived INTEGER NOT NULL,
    is_of_file INTEGER NOT NULL, limits TEXT, former TEXT, json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX records_by_creation ON records (kind, project, created_at, id);
  CREATE INDEX records_by_kind ON records (kind, created_at, id);
  CREATE INDEX records_of_file ON records (kind, created_at, id) WHERE is_of_file = 1;
  CREATE INDEX records_by_version ON records (version);
  CREATE TABLE removed (id TEXT PRIMARY KEY, digests TEXT NOT NULL, version INTEGER NOT NULL) STRICT;
  CREATE INDEX removed_by_version ON removed (version);
  CREATE TABLE edition (version INTEGER NOT NULL) STRICT;
  INSERT INTO edition VALUES (0);
  CREATE TABLE audit (
    id TEXT PRIMARY KEY, at INTEGER NOT NULL, type TEXT NOT NULL, actor TEXT NOT NULL, project TEXT NOT NULL, resource TEXT NOT NULL,
    json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_by_time ON audit (at, id);
  CREATE TABLE groups (no INTEGER PRIMARY KEY, ${GROUPS}, UNIQUE (${GROUP_NAMES.join(', ')})) STRICT;
  CREATE TABLE keys (no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, used_at INTEGER NOT NULL) STRICT;
  CREATE TABLE bookings (
    at INTEGER NOT NULL, id BLOB NOT NULL, key_no INTEGER NOT NULL, group_no INTEGER NOT NULL, ${COUNTS}, json TEXT NOT NULL,
    PRIMARY KEY (at, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE counted (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE totals (
    width INTEGER NOT NULL, bucket INTEGER NOT NULL, group_no INTEGER NOT NULL, ${SUMS}, PRIMARY KEY (width, bucket, group_no)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE sums (
    width INTEGER NOT NULL, bucket INTEGER NOT NULL, group_no INTEGER NOT NULL, ${SUMS}, PRIMARY KEY (width, bucket, group_no)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE key_quarters (
    bucket INTEGER NOT NULL, key_no INTEGER NOT NULL, group_no INTEGER NOT NULL, ${SUMS}, PRIMARY KEY (bucket, key_no, group_no)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE key_days (
    bucket INTEGER NOT NULL, key_no INTEGER NOT NULL, group_no INTEGER NOT NULL, ${SUMS}, PRIMARY KEY (bucket, key_no, group_no)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX key_days_by_key ON key_days (key_no, bucket);
  `,
]

/** Is thrown for a file that is another program's. */
export class ForeignLedgerError extends Error {}

/**
 * Makes missing tables, and takes those of an older version to this one. Throws `ForeignLedgerError` or `NewerLedgerError`, and changes
 * nothing then.
 */
export function migrateLedger(database: Database): void {
  database
    .transaction(() => {
      const version = numberOf(database, 'user_version')
      const isNew = version === 0 && countTables(database) === 0
      if (!isNew && numberOf(database, 'application_id') !== APPLICATION_ID)
        throw new ForeignLedgerError('This is the database of another program.')
      if (version > STEPS.length) throw new NewerLedgerError('This ledger is one of a newer version.')
      for (const step of STEPS.slice(version)) database.run(step)
      database.run(`PRAGMA application_id = ${APPLICATION_ID}`)
      database.run(`PRAGMA user_version = ${STEPS.length}`)
    })
    .immediate()
}

function countTables(database: Database): number {
  return Number(first(database, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"))
}

function numberOf(database: Database, pragma: 'application_id' | 'user_version'): number {
  return Number(first(database, `PRAGMA ${pragma}`))
}

function first(database: Database, sql: string): unknown {
  using statement = database.prepare(sql)
  return statement.values()[0]?.[0]
}
