import { ApiError } from '../openai/api-error.ts'
import type { AnswerEnd } from './answer-end.ts'

/** How a body ended: it ends exactly once, in one of these ways. */
export type Outcome =
  | {
      readonly kind: 'complete'
      /** How its answer ended, by its bytes: a complete body may be the report of a failure. */
      readonly end?: AnswerEnd | undefined
    }
  /** The reader left before the end. */
  | { readonly kind: 'cancelled' }
  /** The source broke off, or one of our timers did. */
  | { readonly kind: 'failed'; readonly cause: unknown }

/**
 * Gives the cause that broke a call: the reason of its abort where it was aborted, else the error seen. A reader of a body that an abort
 * has ended sees only that it broke off.
 *
 * @example
 * throw upstreamFailure(causeOf(exchange.abort.signal, thrown))
 */
export function causeOf({ aborted, reason }: AbortSignal, seen: unknown): unknown {
  return aborted ? reason : seen
}

/**
 * Gives the outcome of a broken call: the client's, where it has left, or else the failure that broke the call.
 *
 * @example
 * const outcome = blame(exchange.abort.signal, thrown)
 */
export function blame(signal: AbortSignal, seen: unknown): Outcome {
  const cause = causeOf(signal, seen)
  return cause instanceof ApiError && cause.kind === 'client_closed' ? { kind: 'cancelled' } : { kind: 'failed', cause }
}
