import type { Observer } from '../exchange/exchange.ts'

/** The platform's part in it. */
export interface QuietDeps {
  /** Collects all garbage, and gives the memory back to the system. Takes 5 to 25 ms, longer on a busy machine. */
  readonly collect: () => void
  /** Drops the code that was compiled for a load, too, so that the next one has to compile it again. */
  readonly shrink: () => void
  /** The memory that the process holds, in bytes. */
  readonly residentBytes: () => number
  /** Calls back after so many milliseconds; never keeps the process alive. */
  readonly after: (ms: number, callback: () => void) => void
}

/** How often a process that has served is looked at, and how long nothing may have been under way before a collection. */
const QUIET_MS = 500
/** The looks, 20 seconds in all, after which a load is over: code that the next one wants costs a fifth to a half more while it is compiled. */
const LOOKS_BEFORE_SHRINKING = 40
/** The looks behind that which see what the process holds then. */
const LOOKS_BEHIND_SHRINKING = 3
/** The least growth since the last collection that is worth one: a few hundred requests … */
const GROWN_BYTES_MIN = 4 * 1024 * 1024
/** … and the share of what was held then, so that a large process, where it takes longer, is seldom collected. */
const GROWN_SHARE_MIN = 1 / 16
/** The most that a process may hold for one: 20 ms of processor time with a cache of 500 MB, 50 and more with as much in small objects. */
const RESIDENT_BYTES_MAX = 512 * 1024 * 1024

const PLATFORM: QuietDeps = {
  collect: () => Bun.gc(true),
  shrink: () => Bun.shrink(),
  residentBytes: () => process.memoryUsage.rss(),
  after: (ms, callback) => void setTimeout(callback, ms).unref(),
}

/**
 * Makes an observer that has garbage collected behind a load, once nothing has been under way for half a second, and compiled code dropped
 * after 20 seconds. The runtime collects by what is allocated: a process that has nothing more to do may keep up to 16 MB of what its last
 * requests have left, and as much of code.
 *
 * A request costs a few additions. The clock runs from the first request to the next quiet moment, and not while all that is under way is
 * a long stream.
 *
 * @example
 * const app = createApp({ ...deps, observers: [collectWhenQuiet()] })
 */
export function collectWhenQuiet(deps: QuietDeps = PLATFORM): Observer {
  const watch = new QuietWatch(deps)
  return { onStart: () => watch.count(1), onEnd: () => watch.count(-1) }
}

/** Counts what is under way. What it holds does not grow with the number of requests or callers. */
class QuietWatch {
  readonly #deps: QuietDeps
  #keptBytes: number
  #underWay = 0
  #events = 0
  #isWatching = false
  /** The number of looks since the last event. */
  #quietLooks = 0
  /** Whether there was a load since compiled code was dropped. */
  #hasLoadCode = false

  constructor(deps: QuietDeps) {
    this.#deps = deps
    this.#keptBytes = deps.residentBytes()
  }

  /** Counts a request that begins, or with -1 one that has ended. */
  count(change: 1 | -1): void {
    this.#underWay += change
    this.#events += 1
    if (!this.#isWatching) this.#watch()
  }

  #watch(): void {
    const seen = this.#events
    this.#isWatching = true
    this.#deps.after(QUIET_MS, () => {
      this.#quietLooks = this.#events === seen ? this.#quietLooks + 1 : 0
      if (this.#quietLooks === 0 || this.#goesOn()) return this.#watch()
      this.#isWatching = false
      this.#quietLooks = 0
    })
  }

  /**
   * Gives back what may be given back after so many looks; true: there is more to see. While something is under way there is not: its end
   * begins the next watch.
   */
  #goesOn(): boolean {
    if (this.#underWay > 0) return false
    const bytes = this.#deps.residentBytes()
    // The system gets memory back a moment after a collection.
    this.#keptBytes = Math.min(this.#keptBytes, bytes)
    const looks = this.#quietLooks
    if (looks === 1) this.#collect(bytes)
    if (looks < LOOKS_BEFORE_SHRINKING) return this.#hasLoadCode
    if (looks === LOOKS_BEFORE_SHRINKING) this.#deps.shrink()
    this.#hasLoadCode = false
    return looks < LOOKS_BEFORE_SHRINKING + LOOKS_BEHIND_SHRINKING
  }

  #collect(bytes: number): void {
    const grownBytesMin = Math.max(GROWN_BYTES_MIN, this.#keptBytes * GROWN_SHARE_MIN)
    if (bytes - this.#keptBytes < grownBytesMin || bytes > RESIDENT_BYTES_MAX) return
    this.#deps.collect()
    this.#hasLoadCode = true
    this.#keptBytes = this.#deps.residentBytes()
  }
}
