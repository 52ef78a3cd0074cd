import { readFileSync } from 'node:fs'

/** One connection, as far as making room goes. */
export interface Closable {
  /** Whether no request is under way on it. */
  readonly isIdle: boolean
  readonly closeIfIdle: () => void
}

/** How things stood when room had to be made. */
export interface Crowd {
  readonly connections: number
  /** The most files and connections that this process may have open (`ulimit -n`). */
  readonly open_files_max: number
}

/** What making room needs. */
export interface ConnectionRoomDeps {
  /** Monotonic, in ms. */
  readonly now: () => number
  /** The most files that may be open now; undefined: nobody knows. */
  readonly openFilesMax?: () => number | undefined
  readonly onCrowded: (crowd: Crowd) => void
}

/** Fewer connections than this are never too many, and cost no look at the limit. */
const FREE_COUNT = 16
/** What the process has open beside its connections: the log, the runtime's own, stores. */
const OWN_FILES = 16
/** Calls under way need a connection to the upstream beside the client's. */
const CLIENTS_SHARE = 0.75
/** Above, a newcomer is turned away: a process without a single file left can't even answer those that it has. */
const LAST_FILES = 8
const LOOK_MS = 1_000

/**
 * Keeps client connections from using up the files that the process may have open: where they come near, the one that has been
 * idle the longest is closed for the newcomer, as a server may at any time (RFC 9112 §9.5).
 *
 * Gives whether the newcomer may stay.
 *
 * @example
 * const admit = createConnectionRoom({ now, onCrowded: (crowd) => log.warn(crowd, 'open files are nearly used up') })
 * if (!admit(connection, connections)) socket.end()
 */
export function createConnectionRoom({ now, openFilesMax = readOpenFilesMax, onCrowded }: ConnectionRoomDeps) {
  let lookedAt = Number.NEGATIVE_INFINITY
  let max: number | undefined
  return <T extends Closable>(newcomer: T, others: ReadonlySet<T>): boolean => {
    const connections = others.size
    if (connections < FREE_COUNT) return true
    if (now() - lookedAt >= LOOK_MS) {
      lookedAt = now()
      max = openFilesMax()
    }
    if (max === undefined || connections <= (max - OWN_FILES) * CLIENTS_SHARE) return true
    onCrowded({ connections, open_files_max: max })
    // In the order in which they came: who came first and is idle has been so for long.
    for (const other of others) {
      if (other === newcomer || !other.isIdle) continue
      other.closeIfIdle()
      return true
    }
    return connections <= max - OWN_FILES - LAST_FILES
  }
}

/** Linux tells a process its limits in a file; elsewhere nobody knows. */
function readOpenFilesMax(): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}
