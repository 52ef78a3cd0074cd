import { createRandom, type Random } from '../random.ts'

/** What the upstream makes of a call: an answer, one that is larger than what is kept, a refusal, an error, or a break. */
export type Outcome = 'ok' | 'large' | 'refused' | 'error' | 'reset' | 'cut'

/** What is asked for: a chat completion as a whole or as a stream, or a response in the background. */
export type Kind = 'chat' | 'stream' | 'background'

/** One try of a client's. */
export interface Step {
  /** Which of the world's servers it goes to. */
  readonly server: number
  /** Its body: most often the same as the others'. */
  readonly body: 'a' | 'b'
  /** When the client leaves; undefined: it waits for the answer. */
  readonly leavesAfterMs: number | undefined
  /** How long the next try waits after this one has begun. */
  readonly pauseMs: number
}

/** What happens under one Idempotency-Key. */
export interface History {
  readonly id: string
  readonly kind: Kind
  /** Of the calls that reach the upstream, in their order; those behind them are `ok`. */
  readonly outcomes: readonly Outcome[]
  /** How long each call takes. */
  readonly callMs: number
  readonly steps: readonly Step[]
}

const FAILURES: readonly Outcome[] = ['refused', 'error', 'reset', 'cut']

/**
 * Makes a history of a seed and its id: nothing else decides on it.
 *
 * @example
 * const history = makeHistory(seed, 'memory-17', 1)
 */
export function makeHistory(seed: number, id: string, servers: number): History {
  const random = createRandom(seed, id)
  const steps = Array.from({ length: 2 + random.below(5) }, () => makeStep(random, servers))
  const hasLeft = steps.some(({ leavesAfterMs }) => leavesAfterMs !== undefined)
  const outcomes: Outcome[] = []
  while (random.percent(35)) outcomes.push(random.pick(FAILURES))
  // What is too large to be kept is given up with its last client, also where others run on.
  if (!hasLeft && random.percent(10)) outcomes.push('large')
  return {
    id,
    kind: random.pick<Kind>(['chat', 'chat', 'stream', 'stream', 'background']),
    outcomes,
    callMs: random.below(60),
    steps,
  }
}

function makeStep(random: Random, servers: number): Step {
  return {
    server: random.below(servers),
    body: random.percent(6) ? 'b' : 'a',
    leavesAfterMs: random.percent(20) ? random.below(50) : undefined,
    pauseMs: random.pick([0, 0, 1, 5, 20, 60, 90]),
  }
}
