import { standalone } from '../answers/body-note.ts'
import { type DeliverDeps, type DeliverOptions, deliver } from '../answers/deliver.ts'
import { passThrough } from '../answers/pass-through.ts'
import { Tap } from '../answers/tap.ts'
import { answerEndOf, type WatchedEnd } from '../exchange/answer-end.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Stage } from '../exchange/stage.ts'
import { ApiError } from '../openai/api-error.ts'
import { readBytes } from '../requests/read-bytes.ts'
import type { Cassettes } from './cassettes.ts'
import type { Recording } from './open-recording.ts'

/** The dependencies of recording and replaying. */
export interface CassetteStageDeps extends DeliverDeps {
  readonly limits: { readonly uploadBytesMax: number }
}

/** How an answer from a cassette is delivered: it comes from no upstream. */
const PLAYED: DeliverOptions = {
  isUpstreams: false,
  streamIdleMs: 0,
  debugHeaders: false,
  renameModel: undefined,
  objectsIn: undefined,
}

/**
 * Makes the stage that answers from cassettes, or records the answer that comes. A body is read as a whole first, and can be read
 * once more. It rejects with `no_cassette` where nothing else may answer.
 *
 * @example
 * const stage = createCassetteStage(cassettes, deps)
 */
export function createCassetteStage(cassettes: Cassettes, deps: CassetteStageDeps): Stage {
  const { memory } = deps.reading
  return {
    name: 'cassettes',
    async run(exchange, next) {
      if (exchange.isUpgrade) {
        noteUpgrade(exchange, cassettes.isClosed)
        return next(exchange)
      }
      const { request, requestTarget: target, abort } = exchange
      const body = await readBytes(exchange, { bytesMax: deps.limits.uploadBytesMax, memory })
      if (exchange.body !== undefined) {
        exchange.body = {
          isComplete: true,
          isCounted: true,
          length: body.byteLength,
          whole: () => body,
          stream: () => new Blob([body]).stream(),
        }
      }
      const received = { method: request.method, target, headers: request.headers, body }
      const played = await cassettes.find(received, abort.signal)
      if (played !== undefined) return deliver(exchange, played, PLAYED, deps)
      const recording = cassettes.record(received, { memory, atEnd: (release) => exchange.atEnd(release) })
      if (recording !== undefined) {
        exchange.readsAnswer = true
        exchange.onAnswer = (answer, isUpstreams) => {
          const end = answerEndOf(exchange, answer, { isUpstreams, deadlines: deps.deadlines })
          return recordAnswer(standalone(answer), recording, end)
        }
      }
      return next(exchange)
    },
  }
}

/** WebSockets are not recorded. One whose frames are calls is to be asked for as calls, which are. */
function noteUpgrade(exchange: Exchange, isClosed: boolean): void {
  exchange.seesCalls = true
  if (!isClosed) return
  exchange.relayRefusal = new ApiError('no_cassette', {
    message: 'No cassette fits a WebSocket: these are not recorded.',
  })
}

/**
 * Has a recording hear an answer while it passes: head, chunks and end, with nothing changed and nothing read ahead. `end` knows
 * when the answer is complete, even if its body breaks off later.
 */
export function recordAnswer(answer: Response, recording: Recording, end?: WatchedEnd): Response {
  recording.onHead(answer.status, answer.headers)
  if (answer.body === null) {
    recording.onEnd({ kind: 'complete' })
    return answer
  }
  const tap = new Tap({ end, onChunk: recording.onChunk, onEnd: recording.onEnd })
  return new Response(passThrough(answer.body, tap, { breakWith: (cause) => cause }), answer)
}
