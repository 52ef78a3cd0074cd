/** Watches whether a worker's event loop still turns. */
export interface Heartbeat {
  /** The worker has answered. */
  readonly onAnswer: () => void
  readonly stop: () => void
}

/** What a heartbeat does. */
export interface HeartbeatDeps {
  /** Asks the worker. */
  readonly ask: () => void
  /** The worker has not answered for `SILENT_MS`; told once. */
  readonly onStuck: () => void
}

const EVERY_MS = 5_000
/** So many questions in a row without an answer: half a minute, far more than the busiest machine keeps a process waiting. */
const UNANSWERED_MAX = 6

/** How long a worker's event loop may stand still before it is replaced. */
export const SILENT_MS = EVERY_MS * UNANSWERED_MAX

/**
 * Begins to ask a worker every 5 s. Questions are counted, not time: where this very process gets no turn, as on a machine that
 * sleeps, none is asked, and so none is unanswered.
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
  // It is no reason to go on.
  timer.unref()
  return {
    onAnswer() {
      unanswered = 0
    },
    stop: () => clearInterval(timer),
  }
}
