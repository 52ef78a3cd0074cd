import { noteBody } from '../../answers/body-note.ts'
import { joinBytes } from '../../formats/bytes/join-bytes.ts'
import { isEventStream } from '../../formats/http/media-types.ts'
import { ignoreRejection } from '../../formats/ignore-rejection.ts'
import type { Sleep } from '../../timing/sleep.ts'
import type { StoredAnswer } from './stored-answer.ts'

/** How a kept stream is given: all at once, or with the times in which it came. */
export type Pace = 'instant' | 'original'

/** What a replay with its times needs. */
interface ReplayDeps {
  readonly sleep: Sleep
  /** Milliseconds, monotonic. */
  readonly now: () => number
}

/**
 * Makes the body of a kept answer: bytes where it is no event stream and is given at once, else a stream of its very chunks.
 *
 * @example
 * const body = replayBody(answer, 'instant', { sleep, now })
 */
export function replayBody(
  answer: StoredAnswer,
  pace: Pace,
  deps: ReplayDeps,
): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  if (pace === 'original') return playChunks(answer, deps)
  if (!isStream(answer)) {
    // As it is kept: nobody writes into it.
    return inOnePiece(answer) ?? joinBytes(answer.chunks.map(({ bytes }) => bytes))
  }
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        for (const { bytes } of answer.chunks) controller.enqueue(bytes)
        controller.close()
      },
    },
    { highWaterMark: 0 },
  )
}

/** Gives each chunk no sooner after the body was first asked for than it came after its head. */
function playChunks({ chunks }: StoredAnswer, { sleep, now }: ReplayDeps): ReadableStream<Uint8Array> {
  const left = new AbortController()
  let startedAt: number | undefined
  let next = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        startedAt ??= now()
        const chunk = chunks[next]
        if (chunk === undefined) {
          controller.close()
          return
        }
        next += 1
        const waitMs = startedAt + chunk.atMs - now()
        if (waitMs > 0) await ignoreRejection(sleep(waitMs, left.signal))
        if (!left.signal.aborted) controller.enqueue(chunk.bytes)
      },
      cancel: () => left.abort(),
    },
    { highWaterMark: 0 },
  )
}

/** All of a body whose chunks lie one behind the other, as those of what was decoded do; undefined: they don't. */
function inOnePiece({ chunks }: StoredAnswer): Uint8Array<ArrayBuffer> | undefined {
  const [first] = chunks
  if (first === undefined) return undefined
  const { buffer, byteOffset } = first.bytes
  let end = byteOffset
  for (const { bytes } of chunks) {
    if (bytes.buffer !== buffer || bytes.byteOffset !== end) return undefined
    end += bytes.byteLength
  }
  return buffer instanceof ArrayBuffer ? new Uint8Array(buffer, byteOffset, end - byteOffset) : undefined
}

function isStream({ headers }: StoredAnswer): boolean {
  return headers.some(([name, value]) => name === 'content-type' && isEventStream(value))
}

/** Makes a response of a kept answer; what is no stream is noted beside it, and not copied. */
export function replayAnswer(kept: StoredAnswer, pace: Pace, deps: ReplayDeps): Response {
  const headers = new Headers(kept.headers as [string, string][])
  const body = replayBody(kept, pace, deps)
  if (body instanceof ReadableStream) return new Response(body, { status: kept.status, headers })
  headers.set('content-length', String(body.byteLength))
  return noteBody(new Response(null, { status: kept.status, headers }), { whole: body })
}
