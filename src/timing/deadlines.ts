/** A time limit that can be pushed back, suspended and cleared. */
export interface Deadline {
  /** Starts the limit anew from now. */
  touch(): void
  /** Stops the clock until the next `touch`. */
  suspend(): void
  /** Ends it for good. */
  clear(): void
}

/** Starts deadlines that all share one timer of the process. */
export interface Deadlines {
  /**
   * Calls `onExpire` once when `limitMs` have passed without a `touch`. A limit of 0 never expires.
   *
   * @example
   * const idle = deadlines.start(config.timeouts.streamIdleMs, () => abort(new ApiError('upstream_timeout')))
   */
  start(limitMs: number, onExpire: () => void): Deadline
}

interface Entry extends Deadline {
  dueAt: number
  readonly onExpire: () => void
}

const NEVER: Deadline = Object.freeze({ touch() {}, suspend() {}, clear() {} })

/**
 * Makes the process's deadlines: a touch is one assignment, and one timer serves them all.
 *
 * The timer is armed for the earliest known due time. A touched entry is found to be early when that
 * time comes, and the timer is armed again: so a chunk of a stream costs no timer call.
 *
 * @example
 * const deadlines = createDeadlines()
 */
export function createDeadlines(now: () => number = () => performance.now()): Deadlines {
  const entries = new Set<Entry>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let armedFor = Number.POSITIVE_INFINITY

  const arm = (dueAt: number): void => {
    clearTimeout(timer)
    armedFor = dueAt
    timer = dueAt === Number.POSITIVE_INFINITY ? undefined : setTimeout(sweep, Math.max(1, Math.ceil(dueAt - now())))
  }

  const sweep = (): void => {
    const at = now()
    try {
      for (const entry of entries) {
        if (entry.dueAt > at) continue
        entries.delete(entry)
        entry.onExpire()
      }
    } finally {
      // Also where one of them has thrown: the others' clocks go on.
      let earliest = Number.POSITIVE_INFINITY
      for (const entry of entries) earliest = Math.min(earliest, entry.dueAt)
      arm(earliest)
    }
  }

  return {
    start(limitMs, onExpire) {
      if (limitMs <= 0) return NEVER
      const entry: Entry = {
        dueAt: now() + limitMs,
        onExpire,
        touch() {
          entry.dueAt = now() + limitMs
          if (entry.dueAt < armedFor && entries.has(entry)) arm(entry.dueAt)
        },
        suspend() {
          entry.dueAt = Number.POSITIVE_INFINITY
        },
        clear() {
          entries.delete(entry)
        },
      }
      entries.add(entry)
      if (entry.dueAt < armedFor) arm(entry.dueAt)
      return entry
    },
  }
}
