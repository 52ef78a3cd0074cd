import { setOwnCredentials } from '../access/credentials.ts'
import type { CheckSettings } from '../config/sections/upstreams/check.ts'
import { collect } from '../exchange/collect-bytes.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { ApiError } from '../openai/api-error.ts'
import { keyRefusalOf, maySpeakOfKey } from '../openai/key-refusal.ts'
import { readError } from '../routing/attempts/judge-answer.ts'
import { restKey, warnOfKey } from '../routing/attempts/warn-of-key.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { CallReport } from '../routing/targets/call-report.ts'
import type { RegisteredDeployment } from '../routing/targets/deployment-registry.ts'
import { parseRetryAfter } from '../routing/targets/retry.ts'
import { describeCause } from '../telemetry/describe-error.ts'
import type { Log } from '../telemetry/log.ts'
import type { Deadline, Deadlines } from '../timing/deadlines.ts'
import { upstreamFailure } from '../upstream/failure.ts'
import type { Send, UpstreamCall } from '../upstream/send.ts'

/** What asking upstreams how they are needs. */
export interface HealthCheckDeps {
  readonly send: Send
  /** Monotonic, in ms. */
  readonly now: () => number
  readonly deadlines: Deadlines
  readonly userAgent: string
  readonly log: Pick<Log, 'warn'>
}

/** The active checks, of upstreams that have one. */
export interface HealthChecks {
  /** Goes by these settings from now on. A deployment that stays is not asked before it is due. */
  readonly watch: (snapshot: Pick<Snapshot, 'router' | 'egressOf'>) => void
  /** Asks nobody any more, for good; what is under way is ended. */
  readonly stop: () => void
}

/** What is known of a deployment's checks; it stays over reloads. */
interface CheckState {
  dueAt: number
  isGood: boolean
  /** Where it was found; undefined: not yet, or no longer. */
  target: string | undefined
  /** Whether it has been said that nothing is there. */
  isMissing: boolean
}

/** One deployment that is checked. */
interface Watched {
  readonly deployment: RegisteredDeployment
  readonly check: CheckSettings
  readonly snapshot: Pick<Snapshot, 'egressOf'>
  readonly state: CheckState
  /** The next look at it. */
  next: Deadline | undefined
  /** Of the check under way. */
  abort: AbortController | undefined
}

/** Of an answer, no more is read, so that its connection can be used again. */
const BODY_BYTES_MAX = 256 * 1024
const LOOK_MS_MIN = 100
/** No such path, or not by GET: the server has its health elsewhere, or none. */
const NOTHING_THERE: ReadonlySet<number> = new Set([404, 405])

/**
 * Makes the active checks: each deployment of an upstream that has a `check` is asked now and then by a GET with its key, and its
 * health is told how that went. A deployment that is left alone is not asked; when its time is up the check is the probe, so that
 * no caller pays for it. Where no upstream has a check, nothing runs.
 *
 * An answer below 500 is a success, whatever it says; a change is logged. But a 404 or 405 says that nothing is asked there: it is looked
 * for at the next place, and where it is nowhere that is logged once, and is neither a success nor a failure. How long a check takes says nothing about calls of
 * a model, and is not counted among their times.
 *
 * @example
 * const checks = createHealthChecks({ send, now, deadlines, userAgent, log })
 * checks.watch(snapshot)
 */
export function createHealthChecks(deps: HealthCheckDeps): HealthChecks {
  const states = new WeakMap<RegisteredDeployment['health'], CheckState>()
  let watched: readonly Watched[] = []
  let isStopped = false

  const stateOf = ({ health }: RegisteredDeployment): CheckState => {
    const known = states.get(health) ?? { dueAt: deps.now(), isGood: true, target: undefined, isMissing: false }
    states.set(health, known)
    return known
  }
  const forget = (): void => {
    for (const one of watched) {
      one.next?.clear()
      one.abort?.abort(new ApiError('client_closed'))
    }
    watched = []
  }
  return {
    stop() {
      isStopped = true
      forget()
    },
    watch(snapshot) {
      forget()
      if (isStopped) return
      watched = snapshot.router.deployments().flatMap((deployment) => {
        const { check } = deployment.upstream
        if (check === undefined) return []
        return [{ deployment, check, snapshot, state: stateOf(deployment), next: undefined, abort: undefined }]
      })
      for (const one of watched) look(one, deps)
    },
  }
}

/** Asks a deployment where that is due, and looks again when there may be something to ask. */
function look(watched: Watched, deps: HealthCheckDeps): void {
  const { deployment, check, state } = watched
  const waitMs = deployment.health.waitMs()
  const isDue = deps.now() >= state.dueAt || deployment.health.state() === 'half_open'
  if (isDue && watched.abort === undefined && deployment.health.isAvailable()) {
    state.dueAt = deps.now() + check.everyMs
    void askDeployment(watched, deps)
  }
  // A breaker that a caller's call opens between two checks has to be seen before its time is up.
  const lookMs = Math.min(check.everyMs, Math.max(LOOK_MS_MIN, deployment.upstream.breaker.openMs))
  const untilDueMs = state.dueAt - deps.now()
  const nextMs = untilDueMs > 0 ? Math.min(untilDueMs, lookMs) : lookMs
  watched.next = deps.deadlines.start(waitMs > 0 ? waitMs : nextMs, () => look(watched, deps))
}

/** Does not reject. */
async function askDeployment(watched: Watched, deps: HealthCheckDeps): Promise<void> {
  const { deployment, check } = watched
  const abort = new AbortController()
  watched.abort = abort
  // Whether a key is good is told by the list of models alone: health is often told without one.
  const spendsKey = check.targets.every((target) => target.endsWith('/models'))
  const attempt = deployment.health.begin('server', spendsKey)
  const limit = deps.deadlines.start(check.timeoutMs, () => abort.abort(new ApiError('upstream_timeout')))
  try {
    const answer = await judgeKey(
      await findAnswer(watched, abort, deps),
      watched,
      spendsKey ? attempt : undefined,
      abort,
      deps,
    )
    if (NOTHING_THERE.has(answer.status)) {
      attempt.abandoned()
      tellMissing(watched, answer.status, deps)
    } else {
      watched.state.isMissing = false
      attempt.answered(answer.status, undefined, parseRetryAfter(answer.headers, Date.now()))
      tell(watched, answer.status < 500, { status: answer.status }, deps)
    }
    await readRest(answer)
  } catch (thrown) {
    const { kind, cause } = upstreamFailure(thrown)
    // What this server lacks says nothing of the target.
    if (kind === 'client_closed' || kind === 'out_of_connections') attempt.abandoned()
    else {
      attempt.failed()
      tell(watched, false, { error: kind, ...(cause !== undefined && { cause: describeCause(cause) }) }, deps)
    }
  } finally {
    limit.clear()
    attempt.ended()
    watched.abort = undefined
  }
}

/** Has the key rest that an answer refuses; gives the answer. `attempt`: one that spends the key. */
async function judgeKey(
  answer: Response,
  { deployment }: Watched,
  attempt: CallReport | undefined,
  abort: AbortController,
  deps: HealthCheckDeps,
): Promise<Response> {
  const { status } = answer
  if (deployment.key === undefined || !maySpeakOfKey(status)) return answer
  const { answer: read, value } = await readError(answer, abort, deps)
  const key = keyRefusalOf(status, value, { namesAccount: false })
  if (key === undefined) return read
  const said = { status, isSpent: key === 'spent' }
  if (attempt === undefined) restKey(deployment, said, deps.log)
  else warnOfKey(deployment, { ...said, restMs: attempt.refused() }, deps.log)
  return read
}

/** Asks where it was found, or at one place after the other until something is there; the last answer where nothing is. */
async function findAnswer(watched: Watched, abort: AbortController, deps: HealthCheckDeps): Promise<Response> {
  const { check, state } = watched
  const known = check.targets.filter((target) => target === state.target)
  const targets = known.length > 0 ? known : check.targets
  state.target = undefined
  for (const [index, target] of targets.entries()) {
    const answer = await deps.send(callOf(watched, target, abort, deps))
    const isThere = !NOTHING_THERE.has(answer.status)
    if (isThere) state.target = target
    if (isThere || index === targets.length - 1) return answer
    await readRest(answer)
  }
  throw new Error('a check has no place to ask')
}

async function readRest({ body }: Response): Promise<void> {
  if (body !== null) await ignoreRejection(collect(body, BODY_BYTES_MAX))
}

function callOf(
  { deployment, snapshot }: Watched,
  target: string,
  abort: AbortController,
  { userAgent }: HealthCheckDeps,
): UpstreamCall {
  const { upstream, key } = deployment
  const { locate, reach } = snapshot.egressOf(upstream)
  const base = new URL(upstream.baseUrl)
  const root = base.pathname.replace(/\/$/, '')
  // Behind the base it has the parameters that each URL of the upstream has.
  const isBehind = target.startsWith(`${root}/`)
  const place = isBehind ? locate(`/v1${target.slice(root.length)}`) : { url: new URL(base.origin + target), target }
  const headers = new Headers({ accept: 'application/json', 'user-agent': userAgent })
  setOwnCredentials(headers, upstream, key)
  return { ...place, method: 'GET', headers, body: null, abort, firstByteMs: 0, reach }
}

function tellMissing({ deployment, check, state }: Watched, status: number, { log }: HealthCheckDeps): void {
  if (state.isMissing) return
  state.isMissing = true
  log.warn(
    { target: deployment.label, status, paths: check.targets },
    'health check finds nothing there: set check.path of the upstream',
  )
}

function tell({ deployment, state }: Watched, isGood: boolean, fields: object, { log }: HealthCheckDeps): void {
  if (isGood === state.isGood) return
  state.isGood = isGood
  log.warn({ target: deployment.label, ...fields }, isGood ? 'health check passed again' : 'health check failed')
}
