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
const KINDS = GROUP_NAMES.slice(1)
const GROUPS = GROUP_NAMES.map((name) => `${name} TEXT NOT NULL`).join(', ')
const COUNTS = COUNT_NAMES.map(
  (name) => `"${name}" ${name === 'seconds' ? 'REAL' : 'INTEGER'} NOT NULL DEFAULT 0`,
).join(', ')
const COUNT_LIST = COUNT_NAMES.map((name) => `"${name}"`).join(', ')
const SUMS = `requests INTEGER NOT NULL DEFAULT 0, ${COUNTS}`

/** The steps from one version of the tables of SQLite to the next. A step that was on `main` is never changed. */
export const SCHEMA_STEPS: readonly string[] = [
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
  // Sums lie by bucket, project and key, so that a page of them is one piece; groups are those of all projects.
  `
  CREATE TABLE projects (no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT;
  INSERT INTO projects (id) SELECT DISTINCT project FROM groups;
  ALTER TABLE groups RENAME TO old_groups;
  CREATE TABLE groups (no INTEGER PRIMARY KEY, ${KINDS.map((name) => `${name} TEXT NOT NULL`).join(', ')}, UNIQUE (${KINDS.join(', ')})) STRICT;
  INSERT INTO groups SELECT no, ${KINDS.join(', ')} FROM old_groups WHERE project = '';
  CREATE TABLE new_numbers (old INTEGER PRIMARY KEY, project_no INTEGER NOT NULL, group_no INTEGER NOT NULL) STRICT;
  INSERT INTO new_numbers SELECT old_groups.no, projects.no, groups.no FROM old_groups JOIN projects ON projects.id = old_groups.project
    JOIN groups USING (${KINDS.join(', ')});
  ALTER TABLE keys RENAME TO old_keys;
  CREATE TABLE keys (
    no INTEGER PRIMARY KEY, id TEXT NOT NULL, project_no INTEGER NOT NULL, used_at INTEGER NOT NULL, UNIQUE (id, project_no)
  ) STRICT;
  CREATE TABLE key_projects (key_no INTEGER NOT NULL, project_no INTEGER NOT NULL, PRIMARY KEY (key_no, project_no)) STRICT, WITHOUT ROWID;
  INSERT INTO key_projects SELECT DISTINCT key_no, project_no FROM key_days JOIN new_numbers ON old = key_days.group_no;
  INSERT INTO keys (id, project_no, used_at) SELECT id, project_no, used_at FROM old_keys JOIN key_projects ON key_no = no;
  CREATE TABLE new_keys (old INTEGER NOT NULL, project_no INTEGER NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (old, project_no)) STRICT, WITHOUT ROWID;
  INSERT INTO new_keys SELECT old_keys.no, keys.project_no, keys.no FROM keys JOIN old_keys USING (id);
  ALTER TABLE bookings RENAME TO old_bookings;
  CREATE TABLE bookings (
    minute INTEGER NOT NULL, project_no INTEGER NOT NULL, key_no INTEGER NOT NULL, at INTEGER NOT NULL, id BLOB NOT NULL, group_no INTEGER NOT NULL,
    ${COUNTS}, json TEXT NOT NULL, PRIMARY KEY (minute, project_no, key_no, at, id)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO bookings SELECT at / 60000 * 60, new_numbers.project_no, new_keys.no, at, id, new_numbers.group_no, ${COUNT_LIST}, json
    FROM old_bookings CROSS JOIN new_numbers ON new_numbers.old = old_bookings.group_no
    CROSS JOIN new_keys ON new_keys.old = key_no AND new_keys.project_no = new_numbers.project_no;
  DROP TABLE old_bookings;
  CREATE TABLE project_quarters (
    hour INTEGER NOT NULL, project_no INTEGER NOT NULL, group_no INTEGER NOT NULL, quarter INTEGER NOT NULL, ${SUMS},
    PRIMARY KEY (hour, project_no, group_no, quarter)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO project_quarters SELECT bucket - bucket % 3600, project_no, new_numbers.group_no, bucket, requests, ${COUNT_LIST}
    FROM sums CROSS JOIN new_numbers ON old = sums.group_no WHERE width = 900;
  CREATE TABLE project_days (
    day INTEGER NOT NULL, project_no INTEGER NOT NULL, group_no INTEGER NOT NULL, ${SUMS}, PRIMARY KEY (day, project_no, group_no)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO project_days SELECT bucket, project_no, new_numbers.group_no, requests, ${COUNT_LIST}
    FROM sums CROSS JOIN new_numbers ON old = sums.group_no WHERE width = 86400;
  DROP TABLE sums;
  ALTER TABLE key_quarters RENAME TO old_key_quarters;
  CREATE TABLE key_quarters (
    hour INTEGER NOT NULL, project_no INTEGER NOT NULL, key_no INTEGER NOT NULL, group_no INTEGER NOT NULL, quarter INTEGER NOT NULL, ${SUMS},
    PRIMARY KEY (hour, project_no, key_no, group_no, quarter)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO key_quarters SELECT bucket - bucket % 3600, new_numbers.project_no, new_keys.no, new_numbers.group_no, bucket, requests, ${COUNT_LIST}
    FROM old_key_quarters CROSS JOIN new_numbers ON new_numbers.old = old_key_quarters.group_no
    CROSS JOIN new_keys ON new_keys.old = key_no AND new_keys.project_no = new_numbers.project_no;
  DROP TABLE old_key_quarters;
  ALTER TABLE key_days RENAME TO old_key_days;
  CREATE TABLE key_days (
    day INTEGER NOT NULL, project_no INTEGER NOT NULL, key_no INTEGER NOT NULL, group_no INTEGER NOT NULL, ${SUMS},
    PRIMARY KEY (day, project_no, key_no, group_no)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO key_days SELECT bucket, new_numbers.project_no, new_keys.no, new_numbers.group_no, requests, ${COUNT_LIST}
    FROM old_key_days CROSS JOIN new_numbers ON new_numbers.old = old_key_days.group_no
    CROSS JOIN new_keys ON new_keys.old = key_no AND new_keys.project_no = new_numbers.project_no;
  DROP TABLE old_key_days;
  DROP TABLE old_groups;
  DROP TABLE old_keys;
  DROP TABLE new_numbers;
  DROP TABLE new_keys;
  DROP TABLE key_projects;
  `,
  // Objects whose cost is told later, and who made them.
  `
  CREATE TABLE objects (
    id TEXT PRIMARY KEY, key_id TEXT NOT NULL, project_id TEXT NOT NULL, model TEXT NOT NULL, made_at INTEGER NOT NULL,
    booked_as TEXT NOT NULL, is_booked INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX objects_by_time ON objects (made_at);
  INSERT OR IGNORE INTO objects SELECT lower(hex(bookings.id)), keys.id, projects.id, model, at / 1000, lower(hex(bookings.id)), 1
    FROM bookings JOIN groups ON groups.no = group_no JOIN keys ON keys.no = key_no JOIN projects ON projects.no = bookings.project_no
    WHERE EXISTS (SELECT 1 FROM groups WHERE batch = 'true') AND batch = 'true';
  `,
]
