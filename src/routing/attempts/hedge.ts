import type { HedgeSettings } from '../../config/sections/hedge.ts'
import { ignoreRejection } from '../../formats/ignore-rejection.ts'
import type { Deployment } from '../targets/router.ts'
import { isInTime } from './is-in-time.ts'
import { type AttemptOutcome, loseAttempt, makeAttempt } from './make-attempt.ts'
import { ownAbort } from './own-abort.ts'
import type { AskDeps, RoutedRequest } from './routed-request.ts'
import type { Attempt } from './upstream-request.ts'

/**
 * Makes an attempt at the first deployment, and where that has no answer after a percentile of its own recent times, one at the
 * second beside it. The first good answer wins, and the other call is ended at once.
 *
 * Without enough recent times, or without budget, it is one attempt like any other. What is asked is `tried`.
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
  // Without a place there it would wait, too, and before others that have nowhere else to go.
  const isReady =
    second.health.isAvailable(request.accountOf(second)) &&
    second.limiter.hasRoom() &&
    isInTime(second, 0, request, deps)
  const isWanted = isSlow && !exchange.abort.signal.aborted && isReady
  const release = isWanted ? deps.hedgeBudget.tryTake(settings.budgetPercent) : undefined
  if (release === undefined) return firstRunner.outcome
  exchange.atEnd(release)
  tried.add(second)
  let secondRunner: Runner
  try {
    secondRunner = run(request, second, deps)
  } catch {
    // The caller may not go there; the first, where it may, is still to answer.
    return firstRunner.outcome
  }
  return race(firstRunner, secondRunner, deps)
}

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

/** The first of two that is good, or the last that is not; the other is ended, and its answer closed. */
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

/** Whether an answer would be the last one without a second attempt, too: a good one, or a refusal of the request itself. */
function isFinal({ answer, cause, isUnbilled }: AttemptOutcome): boolean {
  if (answer === undefined || isUnbilled) return false
  return cause === undefined || (typeof cause === 'number' && cause < 500 && !CURABLE.has(cause))
}

/** The client errors that another target may not answer with. */
const CURABLE: ReadonlySet<number> = new Set([401, 403, 404, 408, 409, 429])

/** What a loser throws concerns nobody. */
function ignore(): void {}
