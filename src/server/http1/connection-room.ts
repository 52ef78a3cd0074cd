import { readFileSync } from 'node:fs'

/** A connection that may be closed to make room. */
export interface Closable {
  /** The caller's network, as far as its address tells. */
  readonly from: string
  /** Whether no request is under way on it. */
  readonly isIdle: boolean
  readonly closeIfIdle: () => void
}

/** The state when room had to be made. */
export interface Crowd {
  readonly connections: number
  /** The most files and connections that this process may open (`ulimit -n`), where that is the limit. */
  readonly open_files_max?: number
  /** The configured number of connections, where that is the limit. */
  readonly connections_max?: number
}

/** The dependencies of `ConnectionRoom`. */
export interface ConnectionRoomDeps {
  /** Monotonic, in ms. */
  readonly now: () => number
  /** Gives the most files that may be open now; undefined: unknown. */
  readonly openFilesMax?: () => number | undefined
  /** The most connections; 0: as many as the limit on files allows. */
  readonly connectionsMax?: number
  /** The percentage of all connections that one network may have while others want some. */
  readonly sharePercent?: number
  readonly onCrowded: (crowd: Crowd) => void
}

/** Up to this many connections, the limit on files is not looked up: they are never too many. */
const FREE_COUNT = 16
/** The files that the process has open beside its connections: the log, the runtime's own, stores. */
const OWN_FILES = 16
/** The share of clients' connections: each call under way needs another one to the upstream. */
const CLIENTS_SHARE = 0.75
/** The files that are kept free by turning newcomers away: a process without any can't even answer the clients that it has. */
const LAST_FILES = 8
const LOOK_MS = 1_000
/** The pause after a search that found no idle connection. */
const SEARCH_MS = 20

/** Above `most` connections an idle one is closed; above `last`, a newcomer is turned away when none is idle. */
interface Limits {
  readonly most: number
  readonly last: number
  readonly crowd: Omit<Crowd, 'connections'>
}

/**
 * Keeps client connections within a limit, so that they never use up the files that the process may open. Near the limit, an idle
 * connection is closed for each newcomer, as a server may do at any time (RFC 9112 §9.5): one of the newcomer's own network where that
 * has more than its share, else one of another such network, else the one that came first.
 *
 * @example
 * const room = new ConnectionRoom({ now, onCrowded: (crowd) => log.warn(crowd, 'open files are nearly used up') })
 * if (!room.admit(connection, connections)) socket.end()
 */
export class ConnectionRoom<T extends Closable> {
  readonly #deps: ConnectionRoomDeps
  readonly #connectionsMax: number
  readonly #counts = new Map<string, number>()
  #lookedAt = Number.NEGATIVE_INFINITY
  #limits: Limits | undefined
  #searchAt = Number.NEGATIVE_INFINITY

  constructor(deps: ConnectionRoomDeps) {
    this.#deps = deps
    this.#connectionsMax =
      deps.connectionsMax === 0 ? Number.POSITIVE_INFINITY : (deps.connectionsMax ?? Number.POSITIVE_INFINITY)
  }

  /** Returns whether the newcomer may stay; it already is one of `all`. */
  admit(newcomer: T, all: ReadonlySet<T>): boolean {
    this.#counts.set(newcomer.from, this.#countOf(newcomer.from) + 1)
    const connections = all.size
    if (connections < FREE_COUNT && connections <= this.#connectionsMax) return true
    const limits = this.#limitsNow()
    if (limits === undefined || connections <= limits.most) return true
    this.#deps.onCrowded({ connections, ...limits.crowd })
    const share = Math.ceil((limits.most * (this.#deps.sharePercent ?? 100)) / 100)
    const isGreedy = (from: string): boolean => this.#countOf(from) > share && this.#countOf(from) < connections
    const other = this.#findIdle(newcomer, all, isGreedy)
    other?.closeIfIdle()
    return other !== undefined || (connections <= limits.last && !isGreedy(newcomer.from))
  }

  /** A connection that was admitted is gone. */
  leave({ from }: T): void {
    const left = this.#countOf(from) - 1
    if (left <= 0) this.#counts.delete(from)
    else this.#counts.set(from, left)
  }

  #countOf(from: string): number {
    return this.#counts.get(from) ?? 0
  }

  /** Looks in the order in which connections came: the first idle one has usually been idle for long. */
  #findIdle(newcomer: T, all: ReadonlySet<T>, isGreedy: (from: string) => boolean): T | undefined {
    const at = this.#deps.now()
    if (at < this.#searchAt) return undefined
    const isOwn = isGreedy(newcomer.from)
    let first: T | undefined
    for (const one of all) {
      if (one === newcomer || !one.isIdle) continue
      if (isOwn ? one.from === newcomer.from : isGreedy(one.from)) return one
      first ??= one
      // With one network only, none has more than its share of all.
      if (!isOwn && this.#counts.size === 1) break
    }
    if (isOwn || first === undefined) this.#searchAt = at + SEARCH_MS
    return isOwn ? undefined : first
  }

  #limitsNow(): Limits | undefined {
    const at = this.#deps.now()
    if (at - this.#lookedAt < LOOK_MS) return this.#limits
    this.#lookedAt = at
    const files = (this.#deps.openFilesMax ?? readOpenFilesMax)()
    // When not even that file can be opened, the last known limit holds.
    if (files === undefined && this.#limits !== undefined) return this.#limits
    const most = files === undefined ? Number.POSITIVE_INFINITY : (files - OWN_FILES) * CLIENTS_SHARE
    const asked = this.#connectionsMax
    if (asked < most) this.#limits = { most: asked, last: asked, crowd: { connections_max: asked } }
    else if (files === undefined) this.#limits = undefined
    else this.#limits = { most, last: files - OWN_FILES - LAST_FILES, crowd: { open_files_max: files } }
    return this.#limits
  }
}

/** Reads the limit from the file in which Linux tells a process its limits; undefined elsewhere. */
function readOpenFilesMax(): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}
