import { passThrough } from '../answers/pass-through.ts'
import { Tap } from '../answers/tap.ts'
import type { WatchedEnd } from '../exchange/answer-end.ts'
import type { Fork } from '../exchange/fork-exchange.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Deadline } from '../timing/deadlines.ts'

/**
 * Passes on the body of a call that is made for several: its end is the fork's, and a break says what broke it to each who
 * reads it. Only for a reader within the program: the runtime prints the reason of a stream that it reads itself.
 *
 * Who cancels it with an error of ours, such as a clock that has run out, says who is to blame.
 *
 * @example
 * const body = watchSource(answer.body, fork, { idle: deadlines.start(streamIdleMs, timeOut), end })
 */
export function watchSource(
  source: ReadableStream<Uint8Array>,
  fork: Fork,
  { idle, end }: { readonly idle: Deadline; readonly end: WatchedEnd | undefined },
): ReadableStream<Uint8Array> {
  const tap = new Tap({ idle, end, onEnd: (outcome) => fork.end(outcome) })
  return passThrough(source, tap, {
    breakWith: (cause) => (fork.outcome?.kind === 'failed' ? fork.outcome.cause : cause),
    isFailure: (reason) => reason instanceof ApiError && reason.kind !== 'client_closed',
  })
}
