import { noteBody } from '../answers/body-note.ts'
import type { CachedAnswer } from './cached-answer.ts'
import { type Pace, type ReplayDeps, replayBody } from './replay-body.ts'

/** Makes a response of a kept answer; what is no stream is noted beside it, and not copied. */
export function playKept(kept: CachedAnswer, pace: Pace, deps: ReplayDeps): Response {
  const headers = new Headers(kept.headers as [string, string][])
  const body = replayBody(kept, pace, deps)
  if (body instanceof ReadableStream) return new Response(body, { status: kept.status, headers })
  headers.set('content-length', String(body.byteLength))
  return noteBody(new Response(null, { status: kept.status, headers }), { whole: body })
}
