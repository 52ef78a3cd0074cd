import type { Claims, Standing, Taken } from '../../storage/claims.ts'
import type { ClaimsAnswer, ClaimsCall, ClaimsQuestion } from './messages.ts'

/** The claims that the supervisor keeps, as a worker uses them. */
export interface RemoteClaims {
  readonly claims: Claims
  /** Takes an answer of the supervisor. */
  readonly hear: (answer: ClaimsAnswer) => void
  /** The supervisor is gone, and its claims with it: questions that wait are rejected. */
  readonly lose: () => void
}

/** The wait for an answer: the supervisor keeps claims in its memory, and does little else. */
const ANSWER_MS = 2_000

interface Waiting {
  readonly resolve: (said: ClaimsAnswer['said']) => void
  readonly reject: (cause: Error) => void
  readonly timer: Timer
}

/**
 * Makes the claims of a worker: each step is a question to its supervisor, which answers in order. A step rejects when the supervisor
 * is gone or silent.
 *
 * @example
 * const { claims, hear, lose } = createRemoteClaims((question) => tell(question))
 */
export function createRemoteClaims(ask: (question: ClaimsQuestion) => void): RemoteClaims {
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
      // A worker holds a claim until its process ends, which the supervisor sees.
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
