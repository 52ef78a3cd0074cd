import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Log } from '../telemetry/log.ts'
import { createDeadlines } from '../timing/deadlines.ts'
import { createMemoryStore } from './memory/memory-store.ts'
import { createRedisStore } from './redis/redis-store.ts'
import { codeOf } from './sqlite/sqlite-errors.ts'
import { ForeignDatabaseError, NewerDatabaseError } from './sqlite/sqlite-schema.ts'
import { openSqliteStore } from './sqlite/sqlite-store.ts'
import type { Store, StoreBounds } from './store.ts'

/** The options of any store. */
export interface OpenStoreOptions extends StoreBounds {
  /** Milliseconds since 1970, or in memory from any beginning; Redis goes by a clock of its own. */
  readonly now: () => number
  readonly log: Pick<Log, 'warn'>
}

/** The reason why there is no store: the fault, as the end of a sentence that begins with the setting's name, and the cure. */
export class StoreError extends Error {
  readonly wrong: string
  readonly cure: string

  constructor(wrong: string, cure: string, cause?: unknown) {
    super(`The store ${wrong}. ${cure}`, { cause })
    this.name = 'StoreError'
    this.wrong = wrong
    this.cure = cure
  }
}

/**
 * Opens the store that a setting names: `memory`, `sqlite:PATH`, `redis://…` or `rediss://…`. Throws a `StoreError`, which
 * never shows a password. A Redis that is away is no error: it is connected to when it is used.
 *
 * @example
 * const store = openStore('sqlite:/var/lib/nexcode/cache.db', { bytesMax, entriesMax, now: Date.now, log })
 */
export function openStore(spec: string, options: OpenStoreOptions): Store {
  if (spec === 'memory') return createMemoryStore(options)
  if (spec.startsWith('sqlite:')) return openFile(spec.slice('sqlite:'.length), options)
  if (/^rediss?:/.test(spec)) return createRedisStore(readUrl(spec), { ...options, deadlines: createDeadlines() })
  // The error does not repeat the value: it may be a URL with a password in it and a mistyped scheme.
  throw new StoreError('is none that there is', 'Use memory, sqlite:PATH, redis://HOST:PORT or rediss://HOST:PORT.')
}

function readUrl(spec: string): string {
  const url = URL.parse(spec)
  if (url === null || url.hostname === '' || !/^rediss?:\/\//.test(spec)) {
    throw new StoreError(
      'has a URL that can not be read',
      'Use redis://HOST:PORT, redis://:PASSWORD@HOST:PORT/DATABASE, or rediss:// for TLS; write /, @ and % in a password as %2F, %40 and %25.',
    )
  }
  if (!/^(\/\d*)?$/.test(url.pathname) || url.search !== '' || url.hash !== '') {
    throw new StoreError(
      'has something behind the host that is not the number of a database',
      'Use redis://HOST:PORT/0, or leave it out.',
    )
  }
  return url.href
}

function openFile(given: string, options: OpenStoreOptions): Store {
  if (given === '') throw new StoreError('names no file', 'Use sqlite:PATH, such as sqlite:/var/lib/nexcode/cache.db.')
  const path = resolve(given)
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new StoreError(`can not be opened: there is no folder ${dirname(path)}`, 'Make it, or name another path.')
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new StoreError(`can not be opened: ${path} is a folder`, 'Name a file in it.')
  }
  try {
    return openSqliteStore(path, options)
  } catch (cause) {
    if (cause instanceof ForeignDatabaseError) {
      throw new StoreError(`can not be opened: ${path} is the database of another program`, 'Name another path.', cause)
    }
    if (cause instanceof NewerDatabaseError) {
      const cure = 'Use that version, or name another path: what is in it would be lost to the newer one.'
      throw new StoreError(`can not be opened: ${path} was made by a newer version of NexCode`, cure, cause)
    }
    throw new StoreError(
      `can not be opened: ${path} (${codeOf(cause) || 'unknown reason'})`,
      'It has to be a file that NexCode may read and write, in a folder that it may write to, on a local disk.',
      cause,
    )
  }
}
