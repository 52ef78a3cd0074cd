import type { DirectoryRow, RecordChanges } from './ledger.ts'
import type { FormerDigest, LedgerRecord } from './records.ts'

/** The directory's rows of the digests that a key had before it was rotated: each is good until its grace time ends, or the key expires. */
export function formerRows(row: DirectoryRow, former: readonly FormerDigest[]): readonly DirectoryRow[] {
  return former.map(({ digest, until }) => {
    const expiresAt = row.expiresAt === 0 ? until : Math.min(until, row.expiresAt)
    return { ...row, digest: Uint8Array.fromHex(digest), expiresAt }
  })
}

/** The digests that a record is found by, in hex, its former ones among them; of one that is no key, none. */
export function digestsOf(record: LedgerRecord): readonly string[] {
  if (record.kind !== 'key') return 'digest' in record ? [record.digest] : []
  return [record.digest, ...(record.former ?? []).map(({ digest }) => digest)]
}

/** The columns of a key that `directoryRowsOf` reads. */
export const DIRECTORY_COLUMNS = 'id, kind, project, expires_at, limits, digest, former'

/** The directory's rows of a key: one for each of its digests. */
export function directoryRowsOf(columns: readonly unknown[]): readonly DirectoryRow[] {
  const [id, kind, projectId, expiresAt, limits, digest, former] = columns
  const row: DirectoryRow = {
    id: String(id),
    kind: kind === 'admin_key' ? 'admin_key' : 'key',
    projectId: String(projectId),
    expiresAt: Number(expiresAt),
    limits: limits === null ? undefined : String(limits),
    digest: digest as Uint8Array,
  }
  return former === null ? [row] : [...formerRows(row, JSON.parse(String(former)) as FormerDigest[]), row]
}

/** Reads a record that is gone: its id, and as JSON the digests that it was found by. */
export function removalOf([id, digests]: readonly unknown[]): RecordChanges['removed'][number] {
  const found = JSON.parse(String(digests)) as string[]
  return { id: String(id), digests: found.map((digest) => Uint8Array.fromHex(digest)) }
}
