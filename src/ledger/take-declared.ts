import { DEFAULT_PROJECT_ID, NO_LIMITS } from './first-records.ts'
import { type Ledger, type RecordKind, type RecordOf, RecordsChangedError } from './ledger.ts'
import { makeId } from './record-id.ts'
import { areSameRecords, parseRecord, stringifyRecord } from './record-json.ts'
import type { AuditEvent, LedgerRecord, ProjectRecord } from './records.ts'

/** What a declaration has changed in the ledger. */
export interface TakenDeclaration {
  /** The ids of records that are new or changed, and of those that are gone: revoked keys, archived projects. */
  readonly put: readonly string[]
  readonly removed: readonly string[]
}

const PAGE = 1000
/** Other processes of the same file make the same change at the same time. */
const TRIES = 5
const KINDS = ['project', 'service_account', 'key', 'admin_key'] as const

/**
 * Makes the ledger's records of the file those that it declares now: adds and changes them, and takes out the rest. A project that is
 * declared no more is archived, since the books go on naming it; the default project becomes the API's again. The audit log has each change, as the file's.
 *
 * `now`: in seconds since 1970. Rejects with a `LedgerError`.
 *
 * @example
 * await takeDeclared(ledger, declaredRecords(settings.records, sha256, now), now)
 */
export async function takeDeclared(
  ledger: Pick<Ledger, 'list' | 'find' | 'edit'>,
  declared: readonly LedgerRecord[],
  now: number,
): Promise<TakenDeclaration> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await takeOnce(ledger, declared, now)
    } catch (cause) {
      if (!(cause instanceof RecordsChangedError) || tried === TRIES) throw cause
    }
  }
}

async function takeOnce(
  ledger: Pick<Ledger, 'list' | 'find' | 'edit'>,
  declared: readonly LedgerRecord[],
  now: number,
): Promise<TakenDeclaration> {
  const before = new Map<string, LedgerRecord>()
  for (const kind of KINDS) for (const record of await allOfFile(ledger, kind)) before.set(record.id, record)
  // A declared project may have been the API's until now.
  for (const { kind, id } of declared) {
    const found = before.has(id) ? undefined : await ledger.find(kind, id)
    if (found !== undefined) before.set(id, found)
  }
  const kept = new Set(declared.map(({ id }) => id))
  const gone = [...before.values()].filter(({ id }) => !kept.has(id))
  const put = [
    ...declared.map((record) => withItsBeginning(record, before.get(record.id))).filter((one) => isNew(one, before)),
    ...gone
      .filter((record) => record.kind === 'project' && record.archivedAt === undefined)
      .map((one) => endOf(one as ProjectRecord, now)),
  ]
  const remove = gone.filter(({ kind }) => kind !== 'project').map(({ id }) => id)
  if (put.length > 0 || remove.length > 0) {
    const was = [...put.map(({ id }) => id), ...remove].flatMap((id) => before.get(id) ?? [])
    const absent = put.flatMap(({ id }) => (before.has(id) ? [] : [id]))
    await ledger.edit({ was, absent, put, remove, audit: eventsOf(put, remove, before, now) })
  }
  return { put: put.map(({ id }) => id), removed: remove }
}

/** Who has changed what the file declares, in the audit log. */
const FILE_ACTOR = 'file'
/** OpenAI's names of what is managed. */
const AUDIT_NAMES = {
  project: 'project',
  service_account: 'service_account',
  key: 'api_key',
  admin_key: 'api_key',
} as const

function eventsOf(
  put: readonly LedgerRecord[],
  remove: readonly string[],
  before: ReadonlyMap<string, LedgerRecord>,
  now: number,
): readonly AuditEvent[] {
  const events = put.map((record) => {
    const isGone = record.kind === 'project' && record.archivedAt === now
    return eventOf(record, isGone ? 'archived' : before.has(record.id) ? 'updated' : 'created', now)
  })
  const removed = remove.flatMap((id) => before.get(id) ?? []).map((record) => eventOf(record, 'deleted', now))
  return [...events, ...removed].flatMap((event) => event ?? [])
}

function eventOf(record: LedgerRecord, what: string, at: number): AuditEvent | undefined {
  const { kind, id } = record
  if (!(kind in AUDIT_NAMES)) return undefined
  const projectId = kind === 'project' ? id : 'projectId' in record ? record.projectId : undefined
  const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes)
  return {
    id: makeId('audit_log-', { now: () => at * 1000, random }),
    type: `${AUDIT_NAMES[kind as keyof typeof AUDIT_NAMES]}.${what}`,
    at,
    actorKeyId: FILE_ACTOR,
    ...(projectId !== undefined && { projectId }),
    resourceId: id,
    details: { id },
  }
}

async function allOfFile<K extends RecordKind>(ledger: Pick<Ledger, 'list'>, kind: K): Promise<readonly RecordOf<K>[]> {
  const found: RecordOf<K>[] = []
  for (let after: string | undefined; ; after = found.at(-1)?.id) {
    const page = await ledger.list({ kind, managedBy: 'file', archived: true, limit: PAGE, order: 'asc', after })
    found.push(...page.data)
    if (!page.hasMore) return found
  }
}

/** A record that was there before was created then. */
function withItsBeginning(record: LedgerRecord, before: LedgerRecord | undefined): LedgerRecord {
  return before === undefined ? record : { ...record, createdAt: before.createdAt }
}

function isNew(record: LedgerRecord, before: ReadonlyMap<string, LedgerRecord>): boolean {
  const known = before.get(record.id)
  return known === undefined || !areSameRecords(parseRecord(stringifyRecord(record)), known)
}

function endOf(project: ProjectRecord, now: number): ProjectRecord {
  if (project.id === DEFAULT_PROJECT_ID) return { ...project, limits: NO_LIMITS, managedBy: 'api' }
  return { ...project, archivedAt: now }
}
