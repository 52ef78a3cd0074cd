import { parentPort } from 'node:worker_threads'
import { OpenLedgerError, RecordsChangedError } from '../ledger.ts'
import { sqliteCodeOf } from './open-database.ts'
import { openSqliteBooks, type SqliteBooks } from './sqlite-books.ts'

/** A call of the books, for another thread. The first one is `open`. */
export type ThreadCall = { readonly no: number } & (
  | { readonly name: 'open'; readonly args: readonly [path: string] }
  | { readonly name: keyof SqliteBooks; readonly args: readonly unknown[] }
)

/** What has become of it; or, while a file is opened, the older version whose tables are brought to this one. */
export type ThreadAnswer =
  | { readonly migratesFrom: number }
  | ({ readonly no: number } & ({ readonly value: unknown } | { readonly fault: ThreadFault }))

/** An error, as it crosses threads. */
export type ThreadFault =
  | { readonly kind: 'changed' }
  | {
      readonly kind: 'open'
      readonly wrong: string
      readonly cure: string
      readonly message: string
      readonly isAway: boolean
    }
  /** `never`: what was asked for is wrong. */
  | { readonly kind: 'down' | 'never'; readonly message: string; readonly code: string }

/** SQLite's errors about what is written, rather than about the file. */
const NEVER = /^SQLITE_(?:CONSTRAINT|MISMATCH|RANGE|TOOBIG)/

let books: SqliteBooks | undefined

parentPort?.on('message', ({ no, name, args }: ThreadCall) => parentPort?.postMessage(answer(no, name, args)))

function answer(no: number, name: ThreadCall['name'], args: readonly unknown[]): ThreadAnswer {
  try {
    if (name === 'open')
      books = openSqliteBooks(String(args[0]), (migratesFrom) => parentPort?.postMessage({ migratesFrom }))
    else return { no, value: call(name, args) }
    return { no, value: undefined }
  } catch (cause) {
    return { no, fault: faultOf(cause) }
  }
}

function call(name: keyof SqliteBooks, args: readonly unknown[]): unknown {
  return Reflect.apply(books?.[name] ?? notOpen, undefined, args)
}

function notOpen(): never {
  throw new Error('The ledger is not open.')
}

function faultOf(cause: unknown): ThreadFault {
  if (cause instanceof RecordsChangedError) return { kind: 'changed' }
  const message = cause instanceof Error ? cause.message : String(cause)
  if (cause instanceof OpenLedgerError)
    return { kind: 'open', wrong: cause.wrong, cure: cause.cure, message, isAway: cause.isAway }
  const code = sqliteCodeOf(cause)
  const isWrong = cause instanceof TypeError || cause instanceof SyntaxError || NEVER.test(code)
  return { kind: isWrong ? 'never' : 'down', message, code }
}
