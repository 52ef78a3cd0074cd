/** A time limit that can be pushed back, suspended and cleared. */
export interface Deadline {
  /** Starts the limit anew from now. */
  touch(): void
  /** Stops the clock until the next `touch`. */
  suspend(): void
  /** Ends the limit for good. */
  clear(): void
}

/** Starts deadlines that all share one timer of the process. */
export interface Deadlines {
  /**
   * Calls `onExpire` once when `limitMs` have passed without a `touch`. A limit of 0 never expires. `goneMs`: the part of the first
   * period that has passed already.
   *
   * @example
   * const idle = deadlines.start(config.timeouts.streamIdleMs, () => abort(new ApiError('upstream_timeout')))
   */
  start(limitMs: number, onExpire: () => void, goneMs?: number): Deadline
}

/** A timer that is this late shows that the whole process stood still: it was stopped, or its machine was. */
const STOOD_STILL_MS = 500
/** After a standstill, the time to read what arrived meanwhile before any deadline expires. */
const CATCH_UP_MS = 1_000

const NEVER: Deadline = Object.freeze({ touch() {}, suspend() {}, clear() {} })

/** One running deadline: a class, because there are several for each request, and closures cost four times as much. */
class Entry implements Deadline {
  readonly #set: DeadlineSet
  readonly #limitMs: number
  readonly onExpire: () => void
  dueAt: number
  /** Its neighbours in the list of running deadlines; undefined: it is not in the list, or at that end. */
  before: Entry | undefined
  after: Entry | undefined
  isRunning = true

  constructor(set: DeadlineSet, limitMs: number, onExpire: () => void, goneMs: number) {
    this.#set = set
    this.#limitMs = limitMs
    this.onExpire = onExpire
    this.dueAt = set.now() + limitMs - goneMs
  }

  touch(): void {
    this.dueAt = this.#set.now() + this.#limitMs
    this.#set.onTouch(this)
  }

  suspend(): void {
    this.dueAt = Number.POSITIVE_INFINITY
  }

  clear(): void {
    this.#set.remove(this)
  }
}

/**
 * The running deadlines and the one timer. They are a linked list: a `Set` rebuilds its table every few deletions, which cost each
 * request 3 µs, and 12 with an extension.
 */
class DeadlineSet {
  readonly now: () => number
  #last: Entry | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #armedFor = Number.POSITIVE_INFINITY
  #isCatchingUp = false

  constructor(now: () => number) {
    this.now = now
  }

  add(entry: Entry): void {
    entry.before = this.#last
    if (this.#last !== undefined) this.#last.after = entry
    this.#last = entry
  }

  remove(entry: Entry): void {
    if (!entry.isRunning) return
    entry.isRunning = false
    const { before, after } = entry
    if (before !== undefined) before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    // A deadline that is over must not keep its neighbours in memory.
    entry.before = undefined
    entry.after = undefined
  }

  onTouch(entry: Entry): void {
    if (entry.dueAt < this.#armedFor && entry.isRunning) this.#arm(entry.dueAt)
  }

  #arm(dueAt: number): void {
    clearTimeout(this.#timer)
    this.#armedFor = dueAt
    this.#timer =
      dueAt === Number.POSITIVE_INFINITY
        ? undefined
        : setTimeout(() => this.#sweep(), Math.max(1, Math.ceil(dueAt - this.now())))
  }

  #sweep(): void {
    const at = this.now()
    this.#isCatchingUp = !this.#isCatchingUp && at - this.#armedFor > STOOD_STILL_MS
    // Answers and requests wait in the sockets' buffers: only this process was late.
    if (this.#isCatchingUp) {
      this.#timer = setTimeout(() => this.#sweep(), CATCH_UP_MS)
      return
    }
    const due: Entry[] = []
    for (let entry = this.#last; entry !== undefined; entry = entry.before) if (entry.dueAt <= at) due.push(entry)
    try {
      // The oldest comes first; it may end another one.
      for (const entry of due.reverse()) {
        if (!entry.isRunning || entry.dueAt > at) continue
        this.remove(entry)
        entry.onExpire()
      }
    } finally {
      // A callback that throws must not stop the others.
      let earliest = Number.POSITIVE_INFINITY
      for (let entry = this.#last; entry !== undefined; entry = entry.before) earliest = Math.min(earliest, entry.dueAt)
      this.#arm(earliest)
    }
  }
}

/**
 * Makes the process's deadlines: a touch is one assignment, and one timer serves them all.
 *
 * The timer is armed for the earliest known due time. A touched entry is found to be early when that
 * time comes, and the timer is armed again: so a chunk of a stream costs no timer call.
 *
 * After the process itself stood still (SIGSTOP, a machine that slept), deadlines that are due get one more second.
 *
 * @example
 * const deadlines = createDeadlines()
 */
export function createDeadlines(now: () => number = () => performance.now()): Deadlines {
  const set = new DeadlineSet(now)
  return {
    start(limitMs, onExpire, goneMs = 0) {
      if (limitMs <= 0) return NEVER
      const entry = new Entry(set, limitMs, onExpire, goneMs)
      set.add(entry)
      set.onTouch(entry)
      return entry
    },
  }
}

/** Resolves after a time; rejects with the signal's reason if that is aborted. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>

/**
 * Makes a sleep on the process's one timer.
 *
 * @example
 * const sleep = createSleep(deadlines)
 */
export function createSleep(deadlines: Deadlines): Sleep {
  return (ms, signal) =>
    new Promise((resolve, reject) => {
      const wake = (): void => {
        signal.removeEventListener('abort', stop)
        resolve()
      }
      const deadline = deadlines.start(Math.max(1, ms), wake)
      const stop = (): void => {
        deadline.clear()
        reject(signal.reason)
      }
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
    })
}
