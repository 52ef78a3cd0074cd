import type { DirectoryRow } from './ledger.ts'
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
