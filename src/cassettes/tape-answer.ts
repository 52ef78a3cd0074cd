import { standalone } from '../answers/body-note.ts'
import { passThrough } from '../answers/pass-through.ts'
import { Tap } from '../answers/tap.ts'
import { answerEndOf, type WatchedEnd } from '../exchange/answer-end.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import type { Recording } from './open-recording.ts'

/**
 * Has a recording hear an answer while it passes: head, chunks and end, with nothing changed and nothing read ahead. `end` knows
 * when it is there in full, whatever becomes of its body.
 *
 * @example
 * const answer = tapeAnswer(await send(call), recording, answerEndOf(exchange, answer, { isUpstreams: true, deadlines }))
 */
export function tapeAnswer(answer: Response, recording: Recording, end?: WatchedEnd): Response {
  recording.onHead(answer.status, answer.headers)
  if (answer.body === null) {
    recording.onEnd({ kind: 'complete' })
    return answer
  }
  const tap = new Tap({ end, onChunk: recording.onChunk, onEnd: recording.onEnd })
  return new Response(passThrough(answer.body, tap, { breakWith: (cause) => cause }), answer)
}

/** Has the answer of an exchange recorded as it comes, from an upstream or from what is kept. */
export function tapeAnswered(
  exchange: Exchange,
  { answer, deployment }: { readonly answer: Response; readonly deployment: object | undefined },
  recording: Recording,
  { deadlines }: { readonly deadlines: Deadlines },
): Response {
  const end = answerEndOf(exchange, answer, { isUpstreams: deployment !== undefined, deadlines })
  return tapeAnswer(standalone(answer), recording, end)
}
