import { readFileSync } from 'node:fs'

/** One connection, as far as making room goes. */
export interface Closable {
  /** Whose it is, as far as its address tells. */
  readonly from: string
  /** Whether no request is under way on it. */
  readonly isIdle: boolean
  readonly closeIfIdle: () => void
}

/** How things stood when room had to be made. */
export interface Crowd {
  readonly connections: number
  /** The most files and connections that this process may have open (`ulimit -n`), where that is the limit. */
  readonly open_files_max?: number
  /** The most connections that were asked for, where that is. */
  readonly connections_max?: number
}

/** What making room needs. */
export interface ConnectionRoomDeps {
  /** Monotonic, in ms. */
  readonly now: () => number
  /** The most files that may be open now; undefined: nobody knows. */
  readonly openFilesMax?: () => number | undefined
  /** The most connections; 0: as many as the files allow. */
  readonly connectionsMax?: number
  /** Of a hundred of them: as many may come from one address while others want some. */
  readonly sharePercent?: number
  readonly onCrowded: (crowd: Crowd) => void
}

/** Fewer connections than this are never too many for the files, and cost no look at their limit. */
const FREE_COUNT = 16
/** What the process has open beside its connections: the log, the runtime's own, stores. */
const OWN_FILES = 16
/** Calls under way need a connection to the upstream beside the client's. */
const CLIENTS_SHARE = 0.75
/** Above, a newcomer is turned away: a process without a single file left can't even answer those that it has. */
const LAST_FILES = 8
const LOOK_MS = 1_000
/** Where nobody was found to be idle, nobody is looked for again so soon. */
const SEARCH_MS = 20

/** So many are room; beyond `last`, a newcomer is turned away where no other can be. */
interface Limits {
  readonly most: number
  readonly last: number
  readonly crowd: Omit<Crowd, 'connections'>
}

/**
 * Keeps client connections within a limit, and from using up the files that the process may have open: where they come near, one that
 * is idle is closed for the newcomer, as a server may at any time (RFC 9112 §9.5). That is the newcomer's own where its address has more
 * than its share, else one of such an address, else the one that came first.
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

  /** Gives whether the newcomer may stay; it is one of `all` by now. */
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

  /** One that was admitted is gone. */
  leave({ from }: T): void {
    const left = this.#countOf(from) - 1
    if (left <= 0) this.#counts.delete(from)
    else this.#counts.set(from, left)
  }

  #countOf(from: string): number {
    return this.#counts.get(from) ?? 0
  }

  /** In the order in which they came: who came first and is idle has been so for long. */
  #findIdle(newcomer: T, all: ReadonlySet<T>, isGreedy: (from: string) => boolean): T | undefined {
    const at = this.#deps.now()
    if (at < this.#searchAt) return undefined
    const isOwn = isGreedy(newcomer.from)
    let first: T | undefined
    for (const one of all) {
      if (one === newcomer || !one.isIdle) continue
      if (isOwn ? one.from === newcomer.from : isGreedy(one.from)) return one
      first ??= one
      // One address that has too many is found soon, if there is one.
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
    // Where not even that file can be opened, what was known holds.
    if (files === undefined && this.#limits !== undefined) return this.#limits
    const most = files === undefined ? Number.POSITIVE_INFINITY : (files - OWN_FILES) * CLIENTS_SHARE
    const asked = this.#connectionsMax
    if (asked < most) this.#limits = { most: asked, last: asked, crowd: { connections_max: asked } }
    else if (files === undefined) this.#limits = undefined
    else this.#limits = { most, last: files - OWN_FILES - LAST_FILES, crowd: { open_files_max: files } }
    return this.#limits
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
