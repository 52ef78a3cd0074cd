import { DEFAULT_PROJECT_ID, NO_LIMITS } from './first-records.ts'
import { type Ledger, type RecordKind, type RecordOf, RecordsChangedError } from './ledger.ts'
import { parseRecord, stringifyRecord } from './record-json.ts'
import type { LedgerRecord, ProjectRecord } from './records.ts'

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
 * declared no more is archived, since the books go on naming it; the default project becomes the API's again.
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
    const touched = [...put.map(({ id }) => id), ...remove].flatMap((id) => before.get(id) ?? [])
    await ledger.edit({ was: touched, put, remove, audit: [] })
  }
  return { put: put.map(({ id }) => id), removed: remove }
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
  // The order of the members is that of what was read.
  return known === undefined || stringifyRecord(parseRecord(stringifyRecord(record))) !== stringifyRecord(known)
}

function endOf(project: ProjectRecord, now: number): ProjectRecord {
  if (project.id === DEFAULT_PROJECT_ID) return { ...project, limits: NO_LIMITS, managedBy: 'api' }
  return { ...project, archivedAt: now }
}
