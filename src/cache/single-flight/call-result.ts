import { noteBody } from '../../answers/body-note.ts'
import type { Exchange } from '../../exchange/exchange.ts'
import { createAttachment } from '../../formats/attachment.ts'
import type { Deployment } from '../../routing/targets/deployment.ts'
import type { StoredAnswer } from '../answers/stored-answer.ts'

/** The result of a call: an answer, and what its delivery has to know. */
export interface CallResult {
  readonly answer: Response
  /** The deployment that gave the answer; undefined: no upstream was asked. */
  readonly deployment: Deployment | undefined
  /** false: the client's own retries would only repeat what has been tried here. */
  readonly shouldRetry?: false | undefined
  /** All of the body, where it has been read; `answer` has no body then. */
  readonly whole?: Uint8Array<ArrayBuffer>
  /** The answer is this one, which a store held: at once (`replayed`), or after a wait for another process's call (`joined`). */
  readonly stored?: { readonly answer: StoredAnswer; readonly how: 'replayed' | 'joined' }
}

/** Marks errors after which the client's own retries would only repeat what has been tried. */
const spent = createAttachment<object, true>('spent')

/** Marks an error so that no client that gets it tries again. */
export function markSpent(cause: unknown): void {
  if (typeof cause === 'object' && cause !== null) spent.set(cause, true)
}

/**
 * Waits for the result of a call, for one of its participants: notes on its exchange whether its client should try again, and beside the
 * answer its whole body, where that has been read. Rejects as the call does.
 *
 * @example
 * const { answer, deployment } = await awaitResult(participant.answer, exchange)
 */
export async function awaitResult(
  pending: Promise<CallResult>,
  exchange: Pick<Exchange, 'shouldRetry'>,
): Promise<CallResult> {
  try {
    const result = await pending
    const { answer, whole, shouldRetry } = result
    exchange.shouldRetry ??= shouldRetry
    if (whole !== undefined) noteBody(answer, { whole })
    return result
  } catch (cause) {
    if (typeof cause === 'object' && cause !== null && spent.get(cause) === true) exchange.shouldRetry = false
    throw cause
  }
}
