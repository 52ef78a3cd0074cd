import { noteBody } from '../../answers/body-note.ts'
import { createAttachment } from '../../formats/attachment.ts'
import { joinBytes } from '../../formats/bytes/join-bytes.ts'
import { isEventStream } from '../../formats/http/media-types.ts'
import { type Pace, type PaceDeps, pacedStream } from '../../timing/paced-stream.ts'
import type { StoredAnswer } from './stored-answer.ts'

/**
 * Makes the body of a stored answer: bytes, where it is no event stream and comes at once; else a stream of its very chunks.
 *
 * @example
 * const body = replayBody(answer, 'instant', { sleep, now })
 */
export function replayBody(
  answer: StoredAnswer,
  pace: Pace,
  deps: PaceDeps,
): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  if (pace === 'original') return pacedStream(answer.chunks, deps)
  if (!isStream(answer)) {
    // Without a copy: nobody writes to these bytes.
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

/** The parts of a response that are the same at each hit. */
interface Replay {
  /** With the length of a whole body. A response copies them. */
  readonly headers: Headers
  /** The body in one piece; undefined: it comes in its chunks. */
  readonly whole: Uint8Array<ArrayBuffer> | undefined
}

const replays = createAttachment<StoredAnswer, Replay>('replay')

/** Makes a response of a stored answer. A body that is no stream is noted beside it (`body-note.ts`), and not copied. */
export function replayAnswer(kept: StoredAnswer, pace: Pace, deps: PaceDeps): Response {
  const { status } = kept
  if (pace === 'original') {
    return new Response(pacedStream(kept.chunks, deps), { status, headers: kept.headers as [string, string][] })
  }
  const { headers, whole } = replays.get(kept) ?? makeReplay(kept, deps)
  if (whole === undefined) return new Response(replayBody(kept, pace, deps), { status, headers })
  return noteBody(new Response(null, { status, headers }), { whole })
}

function makeReplay(kept: StoredAnswer, deps: PaceDeps): Replay {
  const headers = new Headers(kept.headers as [string, string][])
  const body = replayBody(kept, 'instant', deps)
  const whole = body instanceof ReadableStream ? undefined : body
  if (whole !== undefined) headers.set('content-length', String(whole.byteLength))
  const replay = { headers, whole }
  replays.set(kept, replay)
  return replay
}
