import { SQL } from 'bun'
import type { Secret } from '../../config/secret.ts'
import { LedgerError, RecordsChangedError } from '../ledger.ts'
import type { SqlQuery } from '../record-queries.ts'

/** The schema that all of our tables are in, so that the database may be another program's, too. */
export const SCHEMA = 'nexcode'
/** Connections of one process. */
const CONNECTIONS = 4
/** How long a connection may take, in seconds. */
const CONNECT_SECONDS = 5
/** How long the server may work on one statement, in milliseconds. */
const STATEMENT_MS = 30_000
/** After so long without an answer, in milliseconds, the server is taken for gone: it would have given up by itself. */
const SILENCE_MS = STATEMENT_MS + 5_000

/** The longest time that a timer takes: 24 days. */
const NEVER_MS = 2 ** 31 - 1

/** Rows as lists of columns. */
export type Rows = readonly (readonly unknown[])[]
/** Runs a statement with `$1`, `$2`, … */
export type Run = (sql: string, values?: readonly unknown[]) => Promise<Rows>

/**
 * The connections of one process to a database. The runtime's client waits for an answer for as long as its connection is open; here, a server
 * that is silent for too long loses its connections, and others are made.
 */
export class PostgresConnections {
  readonly #url: Secret
  readonly #silenceMs: number
  #sql: SQL

  constructor(url: Secret, silenceMs = SILENCE_MS) {
    this.#url = url
    this.#silenceMs = silenceMs
    this.#sql = connect(url)
  }

  /** Runs one statement. Rejects with a `LedgerError`. */
  run(sql: string, values: readonly unknown[] = []): Promise<Rows> {
    return this.#attempt(runOn(this.#sql)(sql, values))
  }

  /** Asks in the SQL of all stores. Rejects with a `LedgerError`. */
  ask({ sql, values }: SqlQuery): Promise<Rows> {
    return this.run(numbered(sql), values)
  }

  /** Runs statements of which all count, or none. Rejects with a `LedgerError`, or the work's own `RecordsChangedError`. */
  begin<T>(work: (run: Run) => Promise<T>): Promise<T> {
    return this.#attempt(this.#sql.begin((transaction) => work(runOn(transaction))) as Promise<T>)
  }

  /** As `begin`, for work that takes as long as there is much to do: neither a statement nor the server's silence is limited. */
  beginLong<T>(work: (run: Run) => Promise<T>): Promise<T> {
    const begun = this.#sql.begin(async (transaction) => {
      const run = runOn(transaction)
      await run('SET LOCAL statement_timeout = 0')
      return work(run)
    }) as Promise<T>
    return this.#attempt(begun, NEVER_MS)
  }

  async close(): Promise<void> {
    await this.#sql.close({ timeout: 1 })
  }

  async #attempt<T>(answer: Promise<T>, silenceMs = this.#silenceMs): Promise<T> {
    const asked = this.#sql
    const { promise: silence, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      reject(new LedgerError('The ledger does not answer.'))
      if (this.#sql === asked) this.#sql = connect(this.#url)
      asked.close({ timeout: 0 }).catch(() => undefined)
    }, silenceMs)
    try {
      return await Promise.race([answer, silence])
    } catch (cause) {
      if (cause instanceof RecordsChangedError || cause instanceof LedgerError || isOfValue(cause)) throw cause
      throw new LedgerError('The ledger can not be used now.', { cause })
    } finally {
      clearTimeout(timer)
      answer.catch(() => undefined)
    }
  }
}

/** Whether an error is about what is written, rather than about the server: SQLSTATE has classes for them. */
function isOfValue(cause: unknown): boolean {
  if (cause instanceof TypeError) return true
  return cause instanceof SQL.PostgresError && /^2[23]/.test(String(cause.errno))
}

function connect(url: Secret): SQL {
  return new SQL(url.reveal(), {
    max: CONNECTIONS,
    connectionTimeout: CONNECT_SECONDS,
    // The client keeps each text of a statement prepared for as long as its connection is open: questions have as many texts as lengths of lists.
    prepare: false,
    connection: { search_path: SCHEMA, application_name: 'nexcode', statement_timeout: String(STATEMENT_MS) },
  })
}

function runOn(sql: SQL): Run {
  return async (text, values = []) => (await sql.unsafe(text, [...values]).values()) as unknown as Rows
}

/** Writes `$1`, `$2`, … where the `?` of a statement are. */
export function numbered(sql: string): string {
  let count = 0
  return sql.replaceAll('?', () => {
    count += 1
    return `$${count}`
  })
}
