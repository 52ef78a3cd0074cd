import { worksOn } from '../../openai/works-on.ts'
import type { TimedChunk } from '../../timing/paced-stream.ts'
import { encodeAnswer } from '../answers/stored-answer.ts'
import { storedHeaders } from '../answers/stored-headers.ts'
import { verdictOn } from '../answers/whole-answer.ts'
import type { Completeness } from '../answers/whole-json.ts'
import type { ShareOptions } from '../single-flight/coalesced-call.ts'
import type { ClaimedCall } from './claimed-call.ts'

/** The facts seen so far of a call's answer. */
export interface SeenAnswer {
  isGood: boolean
  /** undefined: none has come. */
  headers: Headers | undefined
  /** The call may have reached the upstream although no answer came. */
  mayBeMade: boolean
}

/** The facts of a call that count beside its answer. */
interface EndingFacts {
  /** The path below `/v1/`. */
  readonly endpoint: string
  /** The request asks the upstream to work on in the background, also when the answer is cut. */
  readonly isBackground: boolean
  /** How long a retry gets the answer. */
  readonly windowMs: number
}

/**
 * Makes what writes a call's end down. A good and complete answer is stored (`answered`); one that can't be stored was given (`unkept`);
 * where the upstream works on by itself, whether asked to or not, the outcome is unknown (`lost`). A call that failed, was cut or given up
 * frees its key.
 *
 * @example
 * calls.join(id, start, { signal, runsOn, ...claimEnding(call, seen, { endpoint, isBackground, windowMs }, clock) })
 */
export function claimEnding(
  call: ClaimedCall,
  seen: SeenAnswer,
  { endpoint, isBackground, windowMs }: EndingFacts,
  clock: () => number,
): Required<Pick<ShareOptions, 'isGood' | 'onComplete' | 'onOver' | 'onEnd'>> {
  let isJudged = false
  let completeness: Completeness | undefined
  let goesOn = isBackground
  const upstreamGoesOn = (chunks: readonly TimedChunk[]): boolean => {
    goesOn ||= seen.isGood && seen.headers !== undefined && worksOn(endpoint, seen.headers, chunks)
    return goesOn
  }
  const judge = (verdict: Completeness): boolean => {
    completeness = verdict
    return verdict !== 'failed' && verdict !== 'cut'
  }
  const writeDown = async ({ status, headers }: Response, chunks: readonly TimedChunk[]): Promise<void> => {
    if (completeness === 'failed' || (completeness === 'cut' && !upstreamGoesOn(chunks))) return call.release()
    if (completeness === 'cut') return call.end({ kind: 'lost' })
    if (completeness === undefined) return call.end({ kind: 'unkept' })
    const stored = { status, headers: storedHeaders(headers), chunks, storedAt: clock(), ttlMs: windowMs }
    await call.end({ kind: 'answered', answer: await encodeAnswer(stored) })
  }
  return {
    isGood(answer, chunks) {
      isJudged = true
      const judging = answer.ok && call.isHeld ? verdictOn(endpoint, answer.headers, chunks) : 'failed'
      return typeof judging === 'string' ? judge(judging) : judging.then(judge)
    },
    onComplete(answer, chunks) {
      return call.isHeld ? writeDown(answer, chunks) : call.release()
    },
    onOver(isTooLarge, chunks) {
      // The body's beginning is about to be dropped, and may say that the upstream works on.
      if (isTooLarge) upstreamGoesOn(chunks)
      call.onOver(isTooLarge)
    },
    onEnd(end, _cause, chunks) {
      if (isJudged) return
      // An answer too large to be stored was given, and was good as far as anybody looked.
      if (end === 'complete' && seen.isGood) void call.end({ kind: 'unkept' })
      else if ((seen.isGood || seen.mayBeMade) && upstreamGoesOn(chunks)) void call.end({ kind: 'lost' })
      else void call.release()
    },
  }
}
