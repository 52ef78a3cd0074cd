import type { Fork } from '../fork-exchange.ts'
import { ApiError } from '../openai/api-error.ts'
import { Tap } from '../stream/tap.ts'
import type { Deadline } from '../timing/deadlines.ts'

/**
 * Passes on the body of a call that is made for several: its end is the fork's, and a break says what broke it to each who
 * reads it. Only for a reader within the program: the runtime prints the reason of a stream that it reads itself.
 *
 * Who cancels it with an error of ours, such as a clock that has run out, says who is to blame.
 *
 * @example
 * const body = watchSource(answer.body, fork, deadlines.start(streamIdleMs, timeOut))
 */
export function watchSource(
  source: ReadableStream<Uint8Array>,
  fork: Fork,
  idle: Deadline,
): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  const tap = new Tap({ idle, onEnd: (outcome) => fork.end(outcome) })
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        tap.onWait()
        try {
          const { done, value } = await reader.read()
          if (done) {
            controller.close()
            tap.onDone()
            return
          }
          tap.onChunk(value)
          controller.enqueue(value)
        } catch (cause) {
          tap.onFail(cause)
          controller.error(fork.outcome?.kind === 'failed' ? fork.outcome.cause : cause)
        }
      },
      cancel(reason) {
        if (reason instanceof ApiError && reason.kind !== 'client_closed') tap.onFail(reason)
        else tap.onCancel()
        return reader.cancel(reason).catch(() => undefined)
      },
    },
    { highWaterMark: 0 },
  )
}
