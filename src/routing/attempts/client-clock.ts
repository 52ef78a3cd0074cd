import type { Exchange } from '../../exchange/exchange.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Deadline, Deadlines } from '../../timing/deadlines.ts'
import type { Deployment } from '../targets/deployment.ts'
import type { AskDeps, RoutedRequest } from './attempt.ts'

/** The time that a client gives its call. */
export interface ClientClock {
  /** When an answer has to be on its way, in the time of `performance.now()`; infinite: no limit is known yet. */
  readonly dueAt: () => number
  /** Stops the clock: the answer is on its way, or the exchange is over. */
  readonly clear: () => void
}

/** The margin before the client's own deadline in which the answer must be on its way. */
const MARGIN_SHARE = 0.05
const MARGIN_MS_MIN = 50
const MARGIN_MS_MAX = 500
/** The percentile of a deployment's recent times that counts as its usual time. */
const USUAL_PERCENT = 95

/** The clock of a client that tells no timeout. */
export const NO_CLOCK: ClientClock = { dueAt: () => Number.POSITIVE_INFINITY, clear() {} }

/**
 * Starts the clock of the timeout that a client's SDK tells: just before the SDK would give up, the exchange ends with
 * `client_deadline`.
 *
 * A limit on each wait starts with the last byte of the request, a limit on the whole call with the first.
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

/**
 * Starts the clock of an attempt that another one may follow when its time is up. The attempt gets half of the client's time that
 * is left, or as much as the deployment's answers usually take (95 % of the recent ones), where the rest is enough for the
 * next one's usual time. Then `abort` ends the attempt, and the exchange goes on. Without a clock of the client's the attempt has none.
 */
export function shareClientTime(
  { clientDueAt }: Pick<RoutedRequest, 'clientDueAt'>,
  [deployment, next]: readonly [Deployment, Deployment],
  abort: AbortController,
  { deadlines, now }: Pick<AskDeps, 'deadlines' | 'now'>,
): Deadline {
  const leftMs = clientDueAt() - now()
  const shareMs = Number.isFinite(leftMs) ? Math.max(1, shareOf(leftMs, deployment, next)) : 0
  return deadlines.start(shareMs, () => abort.abort(new ApiError('client_deadline')))
}

function shareOf(leftMs: number, deployment: Deployment, next: Deployment): number {
  const halfMs = leftMs / 2
  const usualMs = deployment.health.percentile(USUAL_PERCENT) ?? 0
  const nextMs = next.health.percentile(USUAL_PERCENT) ?? halfMs
  return Math.max(halfMs, Math.min(usualMs, leftMs - nextMs))
}

/** The timeouts of a client, less a margin, in ms; undefined: the client does not tell it. */
export interface ClientLimits {
  /** A limit on each wait, from the moment that the request has been sent (OpenAI's SDKs for Python and Java). */
  readonly waitMs: number | undefined
  /** A limit on the time from the request's first byte to the answer's head (OpenAI's SDKs for Node, Go, Java, Ruby). */
  readonly wholeMs: number | undefined
}

/**
 * Reads the timeouts that an SDK tells in seconds: `x-stainless-read-timeout` is one wait at the socket, in which an
 * upload does not count; `x-stainless-timeout` is the whole call up to its headers.
 *
 * A time that Node's SDK, which tells whole seconds, has cut to 0 counts as not told.
 *
 * @example
 * const { waitMs, wholeMs } = clientLimits(request.headers)
 */
export function clientLimits(headers: Headers): ClientLimits {
  return {
    waitMs: limitOf(headers.get('x-stainless-read-timeout')),
    wholeMs: limitOf(headers.get('x-stainless-timeout')),
  }
}

function limitOf(told: string | null): number | undefined {
  if (told === null || !/^\d+(\.\d+)?$/.test(told.trim())) return undefined
  const ms = Number(told) * 1000
  if (ms < 2 * MARGIN_MS_MIN || !Number.isFinite(ms)) return undefined
  return ms - Math.min(MARGIN_MS_MAX, Math.max(MARGIN_MS_MIN, ms * MARGIN_SHARE))
}
