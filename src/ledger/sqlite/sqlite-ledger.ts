import { stringifyBookings } from '../counters/booking-record.ts'
import type { DirectoryRow, Ledger, RecordKind, RecordOf, RecordQuery } from '../ledger.ts'
import { BookThread } from './book-thread.ts'
import { unpackDirectory } from './directory-part.ts'
import { IN_MEMORY } from './open-database.ts'

/**
 * Opens the books in a file of SQLite, which is made where it is missing, for its owner alone; `IN_MEMORY` keeps them for as long as the
 * process lives. Rejects with an `OpenLedgerError`.
 *
 * Long questions have a thread of their own, so that a key is revoked and rows are written meanwhile.
 */
export async function openSqliteLedger(path: string, onMigrate?: (from: number) => void): Promise<Ledger> {
  const thread = await BookThread.open(path, onMigrate)
  // What is in memory can be seen by one connection only.
  let opening: Promise<BookThread> | undefined = path === IN_MEMORY ? Promise.resolve(thread) : undefined
  const reader = (): Promise<BookThread> => {
    opening ??= BookThread.open(path).catch((cause: unknown) => {
      opening = undefined
      throw cause
    })
    return opening
  }
  return {
    directory: async () => ({ version: await thread.ask('version'), rows: rowsOf(thread) }),
    changesSince: (version) => thread.ask('changesSince', version),
    find: <K extends RecordKind>(kind: K, id: string) =>
      thread.ask('find', kind, id) as Promise<RecordOf<K> | undefined>,
    list: <K extends RecordKind>(query: RecordQuery<K>) =>
      thread.ask('list', query) as Promise<{ data: readonly RecordOf<K>[]; hasMore: boolean }>,
    edit: (edit) => thread.ask('edit', edit),
    book: (rows) => thread.ask('book', stringifyBookings(rows)),
    bookings: async (after, limit) => (await reader()).ask('bookings', after, limit),
    usage: async (query) => (await reader()).ask('usage', query),
    spent: (scope, from, to) => thread.ask('spent', scope, from, to),
    lastUsed: (keyIds) => thread.ask('lastUsed', keyIds),
    audit: async (query) => (await reader()).ask('audit', query),
    remember: (objects) => thread.ask('remember', objects),
    object: (id) => thread.ask('object', id),
    objects: (after, limit) => thread.ask('objects', after, limit),
    forget: (before) => thread.ask('forget', before),
    extent: () => thread.ask('extent'),
    async close() {
      await thread.close()
      await (await opening)?.close()
    },
  }
}

/** The next part is read while one is used. */
async function* rowsOf(thread: BookThread): AsyncGenerator<readonly DirectoryRow[]> {
  for (let next = thread.ask('directory', ''); ; ) {
    const part = unpackDirectory(await next)
    const last = part.at(-1)
    if (last === undefined) return
    next = thread.ask('directory', last.id)
    next.catch(() => undefined)
    yield part
  }
}
