/** Watches whether a worker's event loop still runs. */
export interface Heartbeat {
  /** The worker has answered. */
  readonly onAnswer: () => void
  readonly stop: () => void
}

/** The calls that a heartbeat makes. */
export interface HeartbeatDeps {
  /** Asks the worker. */
  readonly ask: () => void
  /** Called once, when the worker has not answered for `SILENT_MS`. */
  readonly onStuck: () => void
}

const EVERY_MS = 5_000
/** The questions in a row that may stay unanswered: half a minute, far longer than the busiest machine keeps a process waiting. */
const UNANSWERED_MAX = 6

/** How long a worker's event loop may stand still before the worker is replaced. */
export const SILENT_MS = EVERY_MS * UNANSWERED_MAX

/**
 * Starts to ask a worker every 5 s. It counts questions, not time: when this process itself does not run, as on a machine that sleeps,
 * no question is asked, and so none stays unanswered.
 *
 * @example
 * const heartbeat = startHeartbeat({ ask: () => worker.tell({ kind: 'ping' }), onStuck: () => worker.kill() })
 */
export function startHeartbeat({ ask, onStuck }: HeartbeatDeps): Heartbeat {
  let unanswered = 0
  const timer = setInterval(() => {
    if (unanswered >= UNANSWERED_MAX) {
      clearInterval(timer)
      onStuck()
      return
    }
    unanswered += 1
    ask()
  }, EVERY_MS)
  // The timer must not keep the process alive.
  timer.unref()
  return {
    onAnswer() {
      unanswered = 0
    },
    stop: () => clearInterval(timer),
  }
}
