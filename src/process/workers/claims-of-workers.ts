import type { Claim, ClaimTimes, Taken } from '../../storage/claims.ts'
import { createMemoryClaims } from '../../storage/memory/memory-claims.ts'
import type { ClaimsAnswer, ClaimsCall, ClaimsQuestion } from './messages.ts'

/** The claims of one worker's process. */
export interface WorkersClaims {
  readonly answer: (question: ClaimsQuestion) => ClaimsAnswer
  /** It has ended: how the calls end that it had under way, nobody knows. */
  readonly leave: () => void
}

/** Claims that a supervisor keeps for all of its workers. */
export interface ClaimsOfWorkers {
  /** For a worker that is about to start. */
  readonly join: () => WorkersClaims
}

/**
 * Makes the claims of a supervisor's workers, in its memory: with them a request under an `Idempotency-Key` is made once, whichever
 * worker a retry reaches, also where no store is shared, and also after one has died.
 *
 * @example
 * const claims = createClaimsOfWorkers(() => config.settings.cache.bytesMax)
 * const one = claims.join()
 */
export function createClaimsOfWorkers(bytesMax: () => number): ClaimsOfWorkers {
  const kept = createMemoryClaims({ bytesMax, now: () => performance.now() })
  return {
    join() {
      const held = new Map<string, { readonly claim: Claim; readonly times: ClaimTimes }>()
      let hasLeft = false
      const take = (claim: Claim, times: ClaimTimes): Taken => {
        // What comes behind its end comes from nobody, and nobody would end it.
        if (hasLeft) return { kind: 'running', fingerprint: claim.fingerprint }
        const taken = kept.take(claim, times)
        if (taken.kind === 'taken') held.set(claim.token, { claim, times })
        return taken
      }
      const answer = (call: ClaimsCall): ClaimsAnswer['said'] => {
        if (call.to === 'take') return take(call.claim, call.times)
        if (call.to === 'look') return kept.look(call.id)
        held.delete(call.claim.token)
        if (call.to === 'end') kept.end(call.claim, call.end, call.times)
        else kept.release(call.claim)
        return undefined
      }
      return {
        answer: ({ number, call }) => ({ kind: 'claimed', number, said: answer(call) }),
        leave() {
          hasLeft = true
          for (const { claim, times } of held.values()) kept.end(claim, { kind: 'lost' }, times)
          held.clear()
        },
      }
    },
  }
}
