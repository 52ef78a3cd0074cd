import { Database } from 'bun:sqlite'
import { join } from 'node:path'

/** How many processes may share the counters of a machine. */
export const SEATS = 64

/** A process's number among those that share counters: a small one that no other process has for as long as this one lives. */
export interface ProcessSeat {
  readonly number: number
  /** Whether a process has that seat now. */
  readonly isTaken: (number: number) => boolean
  readonly leave: () => void
}

/** The seat of a process that shares its counters with no other one. */
export const ONLY_SEAT: ProcessSeat = { number: 0, isTaken: (number) => number === 0, leave: () => undefined }

/**
 * Takes the first seat that is free. A seat is an exclusive lock on a file of its own (SQLite's), which ends with its process whatever ends
 * that: the number of a process that was killed can't be mistaken for that of a new one, as a process id can.
 *
 * Throws SQLite's error where the folder can't be written to, and an `Error` where all seats are taken.
 *
 * @example
 * const seat = takeSeat('/var/lib/nexcode')
 */
export function takeSeat(folder: string): ProcessSeat {
  for (let number = 0; number < SEATS; number += 1) {
    const lock = lockOf(folder, number)
    if (lock === undefined) continue
    return {
      number,
      isTaken(other) {
        if (other === number) return true
        const probe = lockOf(folder, other)
        probe?.close()
        return probe === undefined
      },
      leave: () => lock.close(),
    }
  }
  throw new Error(`More than ${SEATS} processes share one ledger.`)
}

/** Locks a seat; undefined: another process has it. */
function lockOf(folder: string, number: number): Database | undefined {
  const database = new Database(join(folder, `seat-${number}`))
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
