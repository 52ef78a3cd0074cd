import { DIRECTORY_COLUMNS, directoryRowsOf } from '../key-digests.ts'
import type { DirectoryRow } from '../ledger.ts'

const ROWS_MAX = 10_000
/** Where the digest is among the columns. */
const DIGEST = DIRECTORY_COLUMNS.split(', ').indexOf('digest')
const PACKED = DIRECTORY_COLUMNS.replace('digest', 'lower(hex(digest))')

/**
 * Asks for all keys in the order of their ids, so many from behind `?1`, as one text that SQLite makes itself: it crosses to another thread at
 * a fifth of what objects with bytes in them cost. `unpackDirectory` reads it.
 */
export const DIRECTORY_PART = `SELECT json_group_array(json_array(${PACKED})) FROM (
  SELECT ${DIRECTORY_COLUMNS} FROM records WHERE digest IS NOT NULL AND id > ?1 ORDER BY id LIMIT ${ROWS_MAX})`

/** Reads the text of `DIRECTORY_PART`. */
export function unpackDirectory(text: string): readonly DirectoryRow[] {
  const rows = JSON.parse(text) as unknown[][]
  return rows.flatMap((columns) => directoryRowsOf(columns.with(DIGEST, Uint8Array.fromHex(String(columns[DIGEST])))))
}
