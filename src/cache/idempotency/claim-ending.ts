import { worksOn } from '../../openai/works-on.ts'
import { encodeAnswer, type TimedChunk } from '../answers/stored-answer.ts'
import { verdictOn } from '../answers/whole-answer.ts'
import type { Completeness } from '../answers/whole-json.ts'
import { storedHeaders } from '../cache-headers.ts'
import type { ShareOptions } from '../single-flight/coalesced-call.ts'
import type { ClaimedCall } from './claimed-call.ts'

/** What has been seen of an answer. */
export interface SeenAnswer {
  isGood: boolean
  /** undefined: none has come. */
  headers: Headers | undefined
  /** The call may have been made although no answer came. */
  mayBeMade: boolean
}

/** What has to be known of a call beside its answer. */
export interface EndingFacts {
  /** The path below `/v1/`. */
  readonly endpoint: string
  /** It was asked for that the upstream goes on by itself, also when its answer has been cut. */
  readonly isBackground: boolean
  /** How long the answer can be fetched again. */
  readonly windowMs: number
}

/**
 * Makes what writes a call's end down: its answer where that is good and whole, that there was one where it can't be kept, that
 * nobody knows where the upstream goes on by itself, whether that was asked for or not; where it failed, was cut or given up, the key is free.
 *
 * @example
 * flights.join(id, start, { signal, runsOn, ...claimEnding(call, head, { endpoint, isBackground, windowMs }, clock) })
 */
export function claimEnding(
  call: ClaimedCall,
  head: SeenAnswer,
  { endpoint, isBackground, windowMs }: EndingFacts,
  clock: () => number,
): Required<Pick<ShareOptions, 'isGood' | 'onComplete' | 'onOver' | 'onEnd'>> {
  let isJudged = false
  let verdict: Completeness | undefined
  let goesOn = isBackground
  const look = (chunks: readonly TimedChunk[]): boolean => {
    goesOn ||= head.isGood && head.headers !== undefined && worksOn(endpoint, head.headers, chunks)
    return goesOn
  }
  const judge = (said: Completeness): boolean => {
    verdict = said
    return said !== 'failed' && said !== 'cut'
  }
  const keep = async ({ status, headers }: Response, chunks: readonly TimedChunk[]): Promise<void> => {
    if (verdict === 'failed' || (verdict === 'cut' && !look(chunks))) return call.release()
    if (verdict === 'cut') return call.end({ kind: 'lost' })
    if (verdict === undefined) return call.end({ kind: 'unkept' })
    const kept = { status, headers: storedHeaders(headers), chunks, storedAt: clock(), ttlMs: windowMs }
    await call.end({ kind: 'answered', answer: await encodeAnswer(kept) })
  }
  return {
    isGood(answer, chunks) {
      isJudged = true
      const judging = answer.ok && call.isHeld ? verdictOn(endpoint, answer.headers, chunks) : 'failed'
      return typeof judging === 'string' ? judge(judging) : judging.then(judge)
    },
    onComplete(answer, chunks) {
      return call.isHeld ? keep(answer, chunks) : call.release()
    },
    onOver(isTooLarge, chunks) {
      // Its beginning is about to be let go of, and tells whether it is made in any case.
      if (isTooLarge) look(chunks)
      call.onOver(isTooLarge)
    },
    onEnd(end, _cause, chunks) {
      if (isJudged) return
      // Larger than what is kept, it has been given, and was good as far as anybody looked.
      if (end === 'complete' && head.isGood) void call.end({ kind: 'unkept' })
      else if ((head.isGood || head.mayBeMade) && look(chunks)) void call.end({ kind: 'lost' })
      else void call.release()
    },
  }
}
