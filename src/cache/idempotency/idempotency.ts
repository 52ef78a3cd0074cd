import { digestOf, type Sha256 } from '../../formats/bytes/digest.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Claim, Claims, ClaimTimes } from '../../storage/claims.ts'
import { decodeAnswer } from '../answers/stored-answer.ts'
import { isInFull } from '../answers/whole-answer.ts'
import type { Scope } from '../keys/scope.ts'
import type { CallResult } from '../single-flight/call-result.ts'
import type { ShareOptions } from '../single-flight/coalesced-call.ts'
import type { Participant, SingleFlight } from '../single-flight/single-flight.ts'
import { awaitClaim } from './await-claim.ts'
import { claimEnding, type SeenAnswer } from './claim-ending.ts'
import { ClaimedCall } from './claimed-call.ts'
import { HeldClaim } from './held-claim.ts'
import { type ClaimStanding, type SharedStores, type TakeDeps, takeClaim } from './take-claim.ts'

/** A request with an `Idempotency-Key`. */
export interface IdempotentRequest {
  /** The principal's own, also where all callers share the cache. */
  readonly scope: Scope
  /** The header's value. */
  readonly name: string
  /** The part that a retry must have in common with the first request: its `cacheKey`, without an upstream. */
  readonly fingerprint: string
  /** The path below `/v1/`. */
  readonly endpoint: string
  /** The request asks the upstream to work on in the background, also when the answer is cut. */
  readonly isBackground: boolean
}

/** The options of a claim. */
export interface ClaimOptions extends Pick<ShareOptions, 'signal' | 'runsOn'> {
  /** The stores whose claims other processes see: the one of now, and those of before a reload whose answers still count. */
  readonly stores: SharedStores
  /** How long a retry gets the answer. */
  readonly windowMs: number
  /** A larger answer is not stored. */
  readonly keptBytesMax: number
}

/** Sees to it that requests with one `Idempotency-Key` reach the upstream once. */
export interface Idempotency {
  /**
   * Gives a request the answer of its key: a stored one, that of the call under way here or at another process, or that of `start`. Keys of
   * other scopes are other keys. A complete answer with a 2xx status is stored for the window; a call that fails frees its key for a retry.
   *
   * Rejects, or the participant's answer does, with `idempotency_conflict` where the key belongs to another request, and with the other
   * `idempotency_*` errors where the answer can't be given, or nobody knows whether there is one.
   */
  claim(
    request: IdempotentRequest,
    start: (abort: AbortController) => Promise<CallResult>,
    options: ClaimOptions,
  ): Promise<Participant>
  /** Resolves when no call is under way. */
  idle(): Promise<void>
}

/** The dependencies of idempotency. */
interface IdempotencyDeps extends TakeDeps {
  /** Of its own, and not the cache's. */
  readonly calls: SingleFlight
  /** The claims of this process. */
  readonly memory: Claims
  /** Whether a call that failed with this cause may have reached the upstream. */
  readonly mayBeMade: (cause: unknown) => boolean
  /** Milliseconds since 1970. */
  readonly clock: () => number
  readonly sha256: Sha256
}

/** A claim that is not renewed for so long counts as lost: its process is busy, or has died. */
const LEASE_MS = 6_000

/**
 * Makes idempotency. There has to be one for a process, over all reloads.
 *
 * @example
 * const idempotency = createIdempotency({ calls, memory, mayBeMade, clock: Date.now, sha256, deadlines, sleep, now })
 * const { role, answer } = await idempotency.claim({ scope, name, fingerprint, … }, start, { signal, runsOn, stores, … })
 */
export function createIdempotency(deps: IdempotencyDeps): Idempotency {
  const claimed = new Map<string, ClaimedCall>()
  const idle: (() => void)[] = []
  const onSettled = (id: string): void => {
    claimed.delete(id)
    if (claimed.size === 0) for (const resolve of idle.splice(0)) resolve()
  }
  return {
    async claim(request, start, options) {
      const { scope, name, fingerprint } = request
      const id = digestOf(['nexcode idempotency 2', scope, name], '', deps.sha256)
      const before = (): ClaimedCall | undefined => blockingCall(claimed.get(id), fingerprint, deps.calls, id)
      for (let call = before(); call !== undefined; call = before()) await call.change(options.signal)
      options.signal.throwIfAborted()
      const call = claimed.get(id) ?? new ClaimedCall(fingerprint, () => onSettled(id))
      claimed.set(id, call)
      const claim = { id, token: crypto.randomUUID(), fingerprint, scope }
      const seen: SeenAnswer = { isGood: false, headers: undefined, mayBeMade: false }
      const ending = claimEnding(call, seen, { ...request, windowMs: options.windowMs }, deps.clock)
      return deps.calls.join(id, (abort) => begin(call, seen, claim, start, abort, options, deps), {
        ...{ signal: options.signal, keptBytesMax: options.keptBytesMax, ...ending },
        // The wait for another process's call ends with the last request that wants its answer.
        get runsOn() {
          return options.runsOn && call.isHeld
        },
        isInFull: ({ headers }, chunks) => isInFull(request.endpoint, headers, chunks),
      })
    },
    idle: () => (claimed.size === 0 ? Promise.resolve() : new Promise((resolve) => void idle.push(resolve))),
  }
}

/** The call that a request has to wait for before it may join its key's call, or start it. Throws where it may do neither. */
function blockingCall(
  call: ClaimedCall | undefined,
  fingerprint: string,
  calls: SingleFlight,
  id: string,
): ClaimedCall | undefined {
  if (call === undefined) return undefined
  const isOther = call.fingerprint !== fingerprint
  const isUnderWay = calls.has(id)
  if (isOther && call.isCertain && (isUnderWay || call.isTooLarge)) throw new ApiError('idempotency_conflict')
  if (call.isTooLarge) throw new ApiError('idempotency_answer_not_kept')
  return isOther || !isUnderWay || calls.judged(id) !== undefined ? call : undefined
}

/** Takes the claim and makes the call, or gives the answer of the call that has the claim. */
async function begin(
  call: ClaimedCall,
  seen: SeenAnswer,
  claim: Claim,
  start: (abort: AbortController) => Promise<CallResult>,
  abort: AbortController,
  { stores, windowMs }: ClaimOptions,
  deps: IdempotencyDeps,
): Promise<CallResult> {
  const times: ClaimTimes = { leaseMs: LEASE_MS, windowMs }
  const taken = await takeClaim(claim, { memory: deps.memory, ...stores }, times, abort.signal, deps)
  if (taken instanceof HeldClaim) {
    call.hold(taken)
    const result = await start(abort).catch((cause: unknown) => {
      seen.mayBeMade = deps.mayBeMade(cause)
      throw cause
    })
    seen.isGood = result.answer.ok
    seen.headers = result.answer.headers
    return result
  }
  if (taken.fingerprint !== claim.fingerprint) throw new ApiError('idempotency_conflict')
  call.confirm()
  if (taken.kind !== 'running') return storedResult(taken, 'replayed')
  const { current, former } = stores
  const all = [deps.memory, ...former, ...(current === undefined ? [] : [current])]
  return storedResult(await awaitClaim(claim.id, all, abort.signal, deps), 'joined')
}

async function storedResult(standing: ClaimStanding, how: 'replayed' | 'joined'): Promise<CallResult> {
  if (standing.kind === 'running') throw new ApiError('idempotency_under_way')
  if (standing.kind === 'lost') throw new ApiError('idempotency_outcome_unknown')
  const answer = standing.kind === 'answered' ? await decodeAnswer(standing.answer) : undefined
  // An answer whose bytes are damaged was given all the same.
  if (answer === undefined) throw new ApiError('idempotency_answer_not_kept')
  return { answer: new Response(null, { status: answer.status }), deployment: undefined, stored: { answer, how } }
}
