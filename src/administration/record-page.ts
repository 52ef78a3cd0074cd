import type { Ledger, Page, RecordKind, RecordOf, RecordQuery } from '../ledger/ledger.ts'
import { timeOfId } from '../ledger/record-id.ts'
import { ApiError } from '../openai/api-error.ts'

/**
 * A page of records. A cursor may be the id of a record that is gone, so that whoever deletes what is listed comes to the end; one that is
 * no id of this server is refused, since an empty page would pass for the end. Rejects with `invalid_parameter` or a `LedgerError`.
 *
 * @example
 * const page = await recordPage(deps.ledger, { kind: 'project', limit, after, order: 'asc' })
 */
export async function recordPage<K extends RecordKind>(
  ledger: Pick<Ledger, 'list' | 'find'>,
  query: RecordQuery<K>,
): Promise<Page<RecordOf<K>>> {
  const page = await ledger.list(query)
  const { kind, after, before } = query
  const cursor = before ?? after
  if (page.data.length > 0 || cursor === undefined || timeOfId(cursor) !== undefined) return page
  if ((await ledger.find(kind, cursor)) === undefined)
    throw badCursor(before === undefined ? 'after' : 'before', cursor)
  return page
}

/** The error for a cursor that is no id of a list. */
export function badCursor(param: 'after' | 'before', cursor: string): ApiError {
  return new ApiError('invalid_parameter', {
    message: `Invalid '${param}': '${cursor.slice(0, 100)}'. Expected the id of an object of this list.`,
    param,
    code: 'invalid_value',
  })
}
