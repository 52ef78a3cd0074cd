import { Database } from 'bun:sqlite'
import { join } from 'node:path'

/** How many processes may share the counters of a machine. */
export const SEATS = 64

/** A process's number among those that share counters: a small one that no other process has for as long as this one lives. */
export interface ProcessSeat {
  readonly number: number
  /**
   * Runs a function where no process has that seat now, and lets none take it meanwhile. undefined: it is taken, and nothing was run.
   */
  readonly ifGone: <T>(number: number, work: () => T) => T | undefined
  readonly leave: () => void
}

/** The seat of a process that shares its counters with no other one. */
export const ONLY_SEAT: ProcessSeat = {
  number: 0,
  ifGone: (number, work) => (number === 0 ? undefined : work()),
  leave: () => undefined,
}

/**
 * Takes the first seat that is free. A seat is an exclusive lock on a file of its own (SQLite's), which ends with its process whatever ends
 * that: the number of a process that was killed can't be mistaken for that of a new one, as a process id can.
 *
 * Throws SQLite's error where the folder can't be written to, and an `Error` where all seats are taken.
 */
export function takeSeat(folder: string): ProcessSeat {
  for (let number = 0; number < SEATS; number += 1) {
    const lock = lockFile(join(folder, `seat-${number}`))
    if (lock === undefined) continue
    return {
      number,
      ifGone(other, work) {
        if (other === number) return undefined
        const probe = lockFile(join(folder, `seat-${other}`))
        if (probe === undefined) return undefined
        try {
          return work()
        } finally {
          probe.close()
        }
      },
      leave: () => lock.close(),
    }
  }
  throw new Error(`More than ${SEATS} processes share one ledger.`)
}

/** Locks a file until the lock is closed, or its process ends; undefined: another one has it. Throws SQLite's error. */
export function lockFile(path: string): { readonly close: () => void } | undefined {
  const database = new Database(path)
  try {
    database.run('PRAGMA busy_timeout = 0')
    database.run('BEGIN EXCLUSIVE')
    return database
  } catch (cause) {
    database.close()
    if (isBusy(cause)) return undefined
    throw cause
  }
}

function isBusy(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && String(cause.code).startsWith('SQLITE_BUSY')
}
