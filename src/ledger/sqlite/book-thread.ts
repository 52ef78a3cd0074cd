import { LedgerError, OpenLedgerError, RecordsChangedError } from '../ledger.ts'
import type { ThreadAnswer, ThreadFault } from './ledger-thread.ts'
import type { SqliteBooks } from './sqlite-books.ts'

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (cause: Error) => void
}

/**
 * The books in a thread of their own: a query, a batch of rows or a slow disk never stops this one's requests. The process may end while
 * nothing is asked for.
 *
 * @example
 * const thread = await BookThread.open('/var/lib/nexcode/ledger.db')
 * const version = await thread.ask('version')
 */
export class BookThread {
  readonly #worker = new Worker(threadUrl())
  readonly #waiting = new Map<number, Waiting>()
  readonly #onMigrate: (from: number) => void
  #asked = 0
  #fault: string | undefined

  private constructor(onMigrate: (from: number) => void) {
    this.#onMigrate = onMigrate
    this.#worker.onmessage = ({ data }: MessageEvent<ThreadAnswer>) => this.#onAnswer(data)
    this.#worker.onerror = ({ message }) => this.#end(message)
    this.#worker.addEventListener('close', () => this.#end('It has ended.'))
    this.#worker.unref()
  }

  /** Starts a thread and opens a file in it; `onMigrate` is told the version that its tables had. Rejects with an `OpenLedgerError`. */
  static async open(path: string, onMigrate: (from: number) => void = () => undefined): Promise<BookThread> {
    const thread = new BookThread(onMigrate)
    try {
      await thread.#send('open', [path])
      return thread
    } catch (cause) {
      thread.#worker.terminate()
      throw cause
    }
  }

  /** Calls a function of the books. Rejects with a `LedgerError`, or the error of one that was asked for something wrong. */
  ask<N extends keyof SqliteBooks>(
    name: N,
    ...args: Parameters<SqliteBooks[N]>
  ): Promise<Awaited<ReturnType<SqliteBooks[N]>>> {
    return this.#send(name, args) as Promise<Awaited<ReturnType<SqliteBooks[N]>>>
  }

  /** Closes the file, behind all that was asked for. */
  async close(): Promise<void> {
    if (this.#fault !== undefined) return
    await this.#send('close', [])
    this.#end('The ledger was closed.')
    this.#worker.terminate()
  }

  #send(name: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#fault !== undefined) return Promise.reject(downError(this.#fault))
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#asked += 1
    if (this.#waiting.size === 0) this.#worker.ref()
    this.#waiting.set(this.#asked, { resolve, reject })
    this.#worker.postMessage({ no: this.#asked, name, args })
    return promise
  }

  #onAnswer(answer: ThreadAnswer): void {
    if ('migratesFrom' in answer) {
      this.#onMigrate(answer.migratesFrom)
      return
    }
    const waiting = this.#waiting.get(answer.no)
    this.#waiting.delete(answer.no)
    if (this.#waiting.size === 0) this.#worker.unref()
    if ('fault' in answer) waiting?.reject(errorOf(answer.fault))
    else waiting?.resolve(answer.value)
  }

  #end(fault: string): void {
    this.#fault ??= fault
    for (const { reject } of this.#waiting.values()) reject(downError(fault))
    this.#waiting.clear()
  }
}

/** Where its code is: the binary has all entries by their paths below `src/`, compiled, and this file's in a chunk above them. */
function threadUrl(): string {
  const folder = import.meta.url.slice(0, import.meta.url.lastIndexOf('/'))
  const isBinary = /(?:\$bunfs|~BUN)\//.test(folder.concat('/'))
  return folder.concat(isBinary ? '/ledger/sqlite/ledger-thread.js' : '/ledger-thread.ts')
}

function errorOf(fault: ThreadFault): Error {
  if (fault.kind === 'changed') return new RecordsChangedError()
  if (fault.kind === 'open') return new OpenLedgerError(fault.wrong, fault.cure, new Error(fault.message), fault.isAway)
  const text = fault.code === '' ? fault.message : `${fault.message} (${fault.code})`
  return fault.kind === 'never' ? new TypeError(text) : downError(text)
}

function downError(why: string): LedgerError {
  return new LedgerError('The ledger can not be used now.', { cause: new Error(why) })
}
