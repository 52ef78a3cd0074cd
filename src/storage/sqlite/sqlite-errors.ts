/** Is thrown for damage that SQLite does not see by itself, with SQLite's own code for damage. */
export class SqliteDamageError extends Error {
  readonly code = 'SQLITE_CORRUPT'
}

/** SQLite's errors where another process makes, moves or closes the file at that very moment. */
const PASSING = /^SQLITE_(BUSY|PROTOCOL|IOERR_(DELETE_NOENT|SHORT_READ|FSTAT)|READONLY_DBMOVED)/

/** Whether an error passes in a moment: SQLite gives up then, rather than wait. */
export function isPassing(cause: unknown): boolean {
  return PASSING.test(codeOf(cause))
}

/** Whether an error says that a file's content is damaged. */
export function isDamage(cause: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT_READ)/.test(codeOf(cause))
}

/** Errors of a machine that lacks something for now, or of a file that another process holds: it can be opened later. */
const LACKING = /^(?:SQLITE_(?:BUSY|FULL|IOERR|NOMEM|PROTOCOL)|(?:ENOSPC|EDQUOT|EMFILE|ENFILE|ENOMEM|EIO|EFBIG)$)/

/** Whether an error says nothing against a path, so that it can be tried again later. */
export function isLacking(cause: unknown): boolean {
  return LACKING.test(codeOf(cause))
}

/** Whether an error says that a file may not grow. */
export function isFull(cause: unknown): boolean {
  return /^SQLITE_(?:FULL|IOERR_WRITE)/.test(codeOf(cause))
}

/** Whether an error says that another process is writing. */
export function isBusy(cause: unknown): boolean {
  return codeOf(cause).startsWith('SQLITE_BUSY')
}

/** The error's code, such as `SQLITE_BUSY` or `ENOENT`; else an empty text. */
export function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}
