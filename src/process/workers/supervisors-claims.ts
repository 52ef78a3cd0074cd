import type { Claims, Standing, Taken } from '../../storage/claims.ts'
import type { ClaimsAnswer, ClaimsCall, ClaimsQuestion } from './messages.ts'

/** Claims that a worker's supervisor keeps, as the worker sees them. */
export interface SupervisorsClaims {
  readonly claims: Claims
  /** Takes what the supervisor answers. */
  readonly hear: (answer: ClaimsAnswer) => void
  /** The supervisor is no more, and so is what it kept. */
  readonly lose: () => void
}

/** A supervisor that says nothing for so long is asked again: it keeps these in its memory, and does little else. */
const ANSWER_MS = 2_000

interface Waiting {
  readonly resolve: (said: ClaimsAnswer['said']) => void
  readonly reject: (cause: Error) => void
  readonly timer: Timer
}

/**
 * Makes the claims of a worker: each step is a question to its supervisor, which answers in their order.
 *
 * @example
 * const { claims, hear, lose } = createSupervisorsClaims((question) => tell(question))
 */
export function createSupervisorsClaims(ask: (question: ClaimsQuestion) => void): SupervisorsClaims {
  const waiting = new Map<number, Waiting>()
  let asked = 0
  let isLost = false
  const settle = (number: number): Waiting | undefined => {
    const one = waiting.get(number)
    waiting.delete(number)
    clearTimeout(one?.timer)
    return one
  }
  const call = (call: ClaimsCall): Promise<ClaimsAnswer['said']> =>
    new Promise((resolve, reject) => {
      if (isLost) return reject(new Error('The supervisor is gone.'))
      asked += 1
      const number = asked
      const timer = setTimeout(() => settle(number)?.reject(new Error('The supervisor said nothing.')), ANSWER_MS)
      waiting.set(number, { resolve, reject, timer })
      ask({ kind: 'claims', number, call })
    })
  return {
    claims: {
      take: async (claim, times) => (await call({ to: 'take', claim, times })) as Taken,
      look: async (id) => (await call({ to: 'look', id })) as Standing,
      // What a worker holds is its own until it ends: the supervisor knows when that is.
      renew: () => undefined,
      end: async (claim, end, times) => void (await call({ to: 'end', claim, end, times })),
      release: async (claim) => void (await call({ to: 'release', claim })),
    },
    hear({ number, said }) {
      settle(number)?.resolve(said)
    },
    lose() {
      isLost = true
      for (const number of [...waiting.keys()]) settle(number)?.reject(new Error('The supervisor is gone.'))
    },
  }
}
