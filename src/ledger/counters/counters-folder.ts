import { mkdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LimiterError } from '../limiter.ts'

/**
 * Where the processes of this machine share the counters of a ledger: beside SQLite's file; for one on another machine in a folder of this
 * user's for temporary files, for what is lost with it is read from the books. undefined: a ledger in memory shares them with nobody.
 * `ledger`: as in `openLedger`.
 */
export function countersFolder(ledger: string): string | undefined {
  if (ledger === 'memory') return undefined
  if (ledger.startsWith('sqlite:')) return `${ledger.slice('sqlite:'.length)}-counters`
  const { host, pathname } = new URL(ledger)
  const name = Bun.hash.xxHash64(`${host}${pathname}`).toString(36)
  return join(tmpdir(), `nexcode-${process.getuid?.() ?? 0}-${name}`)
}

/** Makes a folder for this user alone. Throws a `LimiterError` where it can't be made, or is another user's. */
export function makeOwnFolder(folder: string): void {
  let owner: number | undefined
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    owner = statSync(folder).uid
  } catch (cause) {
    throw new LimiterError(`The counters of limits can't be kept in ${folder}: it can't be made.`, { cause })
  }
  // In a folder that all users write to, somebody else may have made it.
  if (process.getuid !== undefined && owner !== process.getuid())
    throw new LimiterError(`The counters of limits can't be kept in ${folder}: it is another user's.`)
}
