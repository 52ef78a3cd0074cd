import type { HedgeSettings } from '../config/settings.ts'
import type { Lane } from '../router/router.ts'
import type { AskDeps, Asked } from './asked.ts'
import { type Attempted, attempt, LOST } from './attempt.ts'
import { ownAbort } from './own-abort.ts'

/**
 * Makes an attempt at the first lane, and where that has no answer after a percentile of its own recent times, one at the
 * second beside it. The first good answer wins, and the other call is ended at once.
 *
 * Without enough recent times, or without budget, it is one attempt like any other.
 */
export async function hedge(
  asked: Asked,
  [first, second]: readonly [Lane, Lane],
  settings: HedgeSettings,
  deps: AskDeps,
): Promise<Attempted> {
  const { exchange } = asked
  const firstRunner = run(asked, first, deps)
  const usualMs = first.health.percentile(settings.percentile)
  if (usualMs === undefined) return firstRunner.outcome
  const wait = new AbortController()
  const isSlow = await Promise.race([
    firstRunner.outcome.then(() => false),
    deps.sleep(Math.max(settings.minMs, usualMs), wait.signal).then(
      () => true,
      () => false,
    ),
  ])
  wait.abort()
  const release =
    isSlow && !exchange.abort.signal.aborted ? deps.hedgeBudget.tryTake(settings.budgetPercent) : undefined
  if (release === undefined) return firstRunner.outcome
  exchange.atEnd(release)
  return race(firstRunner, run(asked, second, deps))
}

interface Runner {
  readonly outcome: Promise<Attempted>
  readonly abort: AbortController
}

function run({ exchange, callFor, endpoint }: Asked, lane: Lane, deps: AskDeps): Runner {
  const abort = ownAbort(exchange)
  return { abort, outcome: attempt({ exchange, endpoint, lane, call: callFor(lane, abort) }, deps) }
}

/** The first of two that is good, or the last that is not; the other is ended, and its answer closed. */
async function race(one: Runner, other: Runner): Promise<Attempted> {
  const isFirst = await Promise.race([one.outcome.then(() => true), other.outcome.then(() => false)])
  const [early, late] = isFirst ? [one, other] : [other, one]
  const outcome = await early.outcome
  const [winner, loser] = outcome.cause === undefined && outcome.answer !== undefined ? [early, late] : [late, early]
  if (winner === early) loser.abort.abort(LOST)
  loser.outcome.then(({ answer, end }) => {
    answer?.body?.cancel().catch(() => undefined)
    end()
  }, ignore)
  return winner.outcome
}

/** What a loser throws concerns nobody. */
function ignore(): void {}
