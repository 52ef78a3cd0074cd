import { setOwnCredentials } from '../access/credentials.ts'
import type { CheckSettings } from '../config/sections/upstreams/check.ts'
import { collect } from '../exchange/collect-bytes.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { ApiError } from '../openai/api-error.ts'
import { keyRefusalOf, maySpeakOfKey } from '../openai/key-refusal.ts'
import { readError } from '../routing/attempts/judge-answer.ts'
import { parseRetryAfter } from '../routing/attempts/retry-after.ts'
import { restKey, warnOfKey } from '../routing/attempts/warn-of-key.ts'
import type { CallReport } from '../routing/health/call-report.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { RegisteredDeployment } from '../routing/targets/deployment-registry.ts'
import { describeCause } from '../telemetry/describe-error.ts'
import type { Log } from '../telemetry/log.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import { upstreamFailure } from '../upstream/failure.ts'
import type { Send, UpstreamCall } from '../upstream/send.ts'

/** The dependencies of `checkDeployment`. */
export interface CheckDeploymentDeps {
  readonly send: Send
  readonly deadlines: Deadlines
  readonly userAgent: string
  readonly log: Pick<Log, 'warn'>
}

/** The findings of a deployment's earlier checks. */
export interface CheckState {
  isGood: boolean
  /** The place that answered; undefined: none has yet, or it does no longer. */
  target: string | undefined
  /** Whether it has been logged that no place answers. */
  isMissing: boolean
}

/** A deployment, and how it is checked. */
export interface CheckedDeployment {
  readonly deployment: RegisteredDeployment
  readonly check: CheckSettings
  readonly snapshot: Pick<Snapshot, 'egressOf'>
  readonly state: CheckState
  /** Ends the check under way; undefined: none is. */
  abort: AbortController | undefined
}

/** The most that is read of an answer, so that its connection can be used again. */
const BODY_BYTES_MAX = 256 * 1024
/** No such path, or not by GET: the server has its health elsewhere, or none. */
const NOTHING_THERE: ReadonlySet<number> = new Set([404, 405])

/**
 * Checks one deployment: asks it by a GET, tells its health how that went, and logs where it went otherwise than the last time.
 *
 * An answer below 500 is a success. But a 404 or 405 says that nothing is asked there: the next place is asked, and where
 * no place answers that is logged once, and is neither a success nor a failure. The time that a check takes says nothing about
 * calls of a model, and is not counted among their times. Does not reject.
 */
export async function checkDeployment(checked: CheckedDeployment, deps: CheckDeploymentDeps): Promise<void> {
  const { deployment, check } = checked
  const abort = new AbortController()
  checked.abort = abort
  // Only the list of models tells whether a key is good: a health path often needs none.
  const spendsKey = check.targets.every((target) => target.endsWith('/models'))
  const attempt = deployment.health.begin('server', spendsKey)
  const limit = deps.deadlines.start(check.timeoutMs, () => abort.abort(new ApiError('upstream_timeout')))
  try {
    const answer = await judgeKey(
      await findAnswer(checked, abort, deps),
      checked,
      spendsKey ? attempt : undefined,
      abort,
      deps,
    )
    if (NOTHING_THERE.has(answer.status)) {
      attempt.abandoned()
      tellMissing(checked, answer.status, deps)
    } else {
      checked.state.isMissing = false
      attempt.answered(answer.status, undefined, parseRetryAfter(answer.headers, Date.now()))
      tell(checked, answer.status < 500, { status: answer.status }, deps)
    }
    await readRest(answer)
  } catch (thrown) {
    const { kind, cause } = upstreamFailure(thrown)
    // A lack of this server's says nothing about the target.
    if (kind === 'client_closed' || kind === 'out_of_connections') attempt.abandoned()
    else {
      attempt.failed()
      tell(checked, false, { error: kind, ...(cause !== undefined && { cause: describeCause(cause) }) }, deps)
    }
  } finally {
    limit.clear()
    attempt.ended()
    checked.abort = undefined
  }
}

/** Lets the key rest where the answer refuses it, and returns the answer. `attempt`: the report of a check that spends the key. */
async function judgeKey(
  answer: Response,
  { deployment }: CheckedDeployment,
  attempt: CallReport | undefined,
  abort: AbortController,
  deps: CheckDeploymentDeps,
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

/** Asks at the place that answered before, or at one place after the other until one answers; returns the last answer where none does. */
async function findAnswer(
  checked: CheckedDeployment,
  abort: AbortController,
  deps: CheckDeploymentDeps,
): Promise<Response> {
  const { check, state } = checked
  const known = check.targets.filter((target) => target === state.target)
  const targets = known.length > 0 ? known : check.targets
  state.target = undefined
  for (const [index, target] of targets.entries()) {
    const answer = await deps.send(callOf(checked, target, abort, deps))
    const isThere = !NOTHING_THERE.has(answer.status)
    if (isThere) state.target = target
    if (isThere || index === targets.length - 1) return answer
    await readRest(answer)
  }
  throw new Error('a check has no place to ask')
}

/** Reads an answer to its end, so that its connection can be used again. */
async function readRest({ body }: Response): Promise<void> {
  if (body !== null) await ignoreRejection(collect(body, BODY_BYTES_MAX))
}

function callOf(
  { deployment, snapshot }: CheckedDeployment,
  target: string,
  abort: AbortController,
  { userAgent }: CheckDeploymentDeps,
): UpstreamCall {
  const { upstream, key } = deployment
  const { locate, reach } = snapshot.egressOf(upstream)
  const base = new URL(upstream.baseUrl)
  const root = base.pathname.replace(/\/$/, '')
  // A place below the base URL gets the parameters that each URL of the upstream has.
  const isBehind = target.startsWith(`${root}/`)
  const place = isBehind ? locate(`/v1${target.slice(root.length)}`) : { url: new URL(base.origin + target), target }
  const headers = new Headers({ accept: 'application/json', 'user-agent': userAgent })
  setOwnCredentials(headers, upstream, key)
  return { ...place, method: 'GET', headers, body: null, abort, firstByteMs: 0, reach }
}

function tellMissing(
  { deployment, check, state }: CheckedDeployment,
  status: number,
  { log }: CheckDeploymentDeps,
): void {
  if (state.isMissing) return
  state.isMissing = true
  log.warn(
    { target: deployment.label, status, paths: check.targets },
    'health check finds nothing there: set check.path of the upstream',
  )
}

function tell(
  { deployment, state }: CheckedDeployment,
  isGood: boolean,
  fields: object,
  { log }: CheckDeploymentDeps,
): void {
  if (isGood === state.isGood) return
  state.isGood = isGood
  log.warn({ target: deployment.label, ...fields }, isGood ? 'health check passed again' : 'health check failed')
}
