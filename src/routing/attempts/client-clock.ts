import type { Exchange } from '../../exchange/exchange.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Deadline, Deadlines } from '../../timing/deadlines.ts'
import { clientLimits } from './client-deadline.ts'

/** The time that a client has told to have. */
export interface ClientClock {
  /** When an answer has to be on its way, in `performance.now()`; infinite: whenever, as far as is known yet. */
  readonly dueAt: () => number
  /** Ends it: the answer is on its way, or the exchange is over. */
  readonly clear: () => void
}

/** Of a client that tells nothing. */
export const NO_CLOCK: ClientClock = { dueAt: () => Number.POSITIVE_INFINITY, clear() {} }

/**
 * Starts the clock that a client's SDK tells of: just before it would give up, the exchange is ended with `client_deadline`.
 *
 * A limit on each wait starts when the request has come to its last byte, one on the whole call with its first.
 */
export function startClientClock(exchange: Exchange, deadlines: Deadlines): ClientClock {
  const { waitMs, wholeMs } = clientLimits(exchange.request.headers)
  if (waitMs === undefined && wholeMs === undefined) return NO_CLOCK
  let dueAt = Number.POSITIVE_INFINITY
  let deadline: Deadline | undefined
  let isOver = false
  const expireAt = (at: number): void => {
    if (isOver || at >= dueAt) return
    dueAt = at
    deadline?.clear()
    const leftMs = Math.max(1, at - performance.now())
    deadline = deadlines.start(leftMs, () => exchange.abort.abort(new ApiError('client_deadline')))
  }
  if (wholeMs !== undefined) expireAt(exchange.startedAt + wholeMs)
  if (waitMs !== undefined) exchange.onceArrived((at) => expireAt(at + waitMs))
  return {
    dueAt: () => dueAt,
    clear() {
      isOver = true
      deadline?.clear()
    },
  }
}
