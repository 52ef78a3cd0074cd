import type { HedgeSettings } from '../../config/sections/hedge.ts'
import { ignoreRejection } from '../../formats/ignore-rejection.ts'
import type { Deployment } from '../targets/deployment.ts'
import type { AskDeps, Attempt, RoutedRequest } from './attempt.ts'
import { type AttemptOutcome, loseAttempt, makeAttempt, ownAbort } from './make-attempt.ts'
import { isInTime } from './next-step.ts'

/**
 * Makes an attempt at the first deployment, and where that has no answer after a percentile of its own recent times, one at the
 * second beside it. The first good answer wins, and the other call is ended at once.
 *
 * Without enough recent times, or without budget, the second is not asked. A second one that is asked is added to `tried`.
 */
export async function hedge(
  request: RoutedRequest,
  [first, second]: readonly [Deployment, Deployment],
  settings: HedgeSettings,
  tried: Set<Deployment>,
  deps: AskDeps,
): Promise<AttemptOutcome> {
  const { exchange } = request
  const firstRunner = run(request, first, deps)
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
  // Without a free place the second attempt would wait, too, in front of requests that can go nowhere else.
  const isReady =
    second.health.isAvailable(request.payerOf(second)) && second.limiter.hasRoom() && isInTime(second, 0, request, deps)
  const isWanted = isSlow && !exchange.abort.signal.aborted && isReady
  const release = isWanted ? deps.hedgeBudget.tryTake(settings.budgetPercent) : undefined
  if (release === undefined) return firstRunner.outcome
  exchange.atEnd(release)
  tried.add(second)
  let secondRunner: Runner
  try {
    secondRunner = run(request, second, deps)
  } catch {
    // The caller may not use the second deployment; the first may still answer.
    return firstRunner.outcome
  }
  return race(firstRunner, secondRunner, deps)
}

/** An attempt under way. */
interface Runner {
  readonly outcome: Promise<AttemptOutcome>
  readonly attempt: Attempt
}

function run({ exchange, callFor, dueAt }: RoutedRequest, deployment: Deployment, deps: AskDeps): Runner {
  const attempt = {
    exchange,
    deployment,
    call: callFor(deployment, ownAbort(exchange)),
    heldUntil: dueAt(deployment),
  }
  return { attempt, outcome: makeAttempt(attempt, deps) }
}

/** Takes the first good outcome of two, or else the later one; ends the other attempt and closes its answer. */
async function race(one: Runner, other: Runner, deps: AskDeps): Promise<AttemptOutcome> {
  const isFirst = await Promise.race([one.outcome.then(() => true), other.outcome.then(() => false)])
  const [early, late] = isFirst ? [one, other] : [other, one]
  const outcome = await early.outcome
  const [winner, loser] = isFinal(outcome) ? [early, late] : [late, early]
  if (winner === early) loseAttempt(loser.attempt, deps)
  loser.outcome.then(({ answer, end }) => {
    void ignoreRejection(answer?.body?.cancel())
    end()
  }, ignore)
  return winner.outcome
}

/** Tells whether an answer needs no second attempt: it is good, or refuses the request itself. */
function isFinal({ answer, cause, isUnbilled }: AttemptOutcome): boolean {
  if (answer === undefined || isUnbilled) return false
  return cause === undefined || (typeof cause === 'number' && cause < 500 && !CURABLE.has(cause))
}

/** Client errors that another target may not answer with. */
const CURABLE: ReadonlySet<number> = new Set([401, 403, 404, 408, 409, 429])

/** An error of the losing attempt concerns nobody. */
function ignore(): void {}
