import type { CachedAnswer } from '../cache/cached-answer.ts'
import { type Pace, type ReplayDeps, replayBody } from '../cache/replay-body.ts'

/** Makes a response of a kept answer. */
export function playKept(kept: CachedAnswer, pace: Pace, deps: ReplayDeps): Response {
  const headers = new Headers(kept.headers.map(([name, value]): [string, string] => [name, value]))
  return new Response(replayBody(kept, pace, deps), { status: kept.status, headers })
}
