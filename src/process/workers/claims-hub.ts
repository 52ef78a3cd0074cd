import type { Claim, ClaimTimes, Taken } from '../../storage/claims.ts'
import { createMemoryClaims } from '../../storage/memory/memory-claims.ts'
import type { ClaimsAnswer, ClaimsCall, ClaimsQuestion } from './messages.ts'

/** One worker process's connection to the hub. */
export interface HubConnection {
  readonly answer: (question: ClaimsQuestion) => ClaimsAnswer
  /** The process has ended: the outcome of its calls under way is unknown. */
  readonly leave: () => void
}

/** The claims that a supervisor keeps for all of its workers. */
export interface ClaimsHub {
  /** Connects a worker that is about to start. */
  readonly join: () => HubConnection
}

/**
 * Makes the hub of claims, in the supervisor's memory: it makes a request under an `Idempotency-Key` run once, whichever worker a
 * retry reaches, even when no store is shared, and even after a worker has died.
 *
 * @example
 * const hub = createClaimsHub(() => config.settings.cache.bytesMax)
 * const connection = hub.join()
 */
export function createClaimsHub(bytesMax: () => number): ClaimsHub {
  const kept = createMemoryClaims({ bytesMax, now: () => performance.now() })
  return {
    join() {
      const held = new Map<string, { readonly claim: Claim; readonly times: ClaimTimes }>()
      let hasLeft = false
      const take = (claim: Claim, times: ClaimTimes): Taken => {
        // A claim that arrives after its process has ended would never be ended.
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
