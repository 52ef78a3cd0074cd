import { digestOf, type Sha256 } from '../../formats/bytes/digest.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Claim, Claims, ClaimTimes } from '../../storage/claims.ts'
import type { Deadlines } from '../../timing/deadlines.ts'
import { decodeAnswer, type StoredAnswer } from '../answers/stored-answer.ts'
import { isInFull } from '../answers/whole-answer.ts'
import type { Scope } from '../keys/scope.ts'
import type { CallResult, ShareOptions } from '../single-flight/coalesced-call.ts'
import type { Participant, SingleFlight } from '../single-flight/single-flight.ts'
import { awaitClaim } from './await-claim.ts'
import { claimEnding, type SeenAnswer } from './claim-ending.ts'
import { ClaimedCall } from './claimed-call.ts'
import { HeldClaim } from './held-claim.ts'
import { type ClaimStanding, type TakeDeps, type TakePlaces, takeClaim } from './take-claim.ts'

/** A request with an `Idempotency-Key`. */
export interface IdempotentRequest {
  /** The principal's own, also where the cache is shared by all. */
  readonly scope: Scope
  /** What the header says. */
  readonly name: string
  /** What a retry must have in common with the first request: its `cacheKey`, without an upstream. */
  readonly fingerprint: string
  /** The path below `/v1/`. */
  readonly endpoint: string
  /** It was asked for that the upstream goes on by itself, also when its answer has been cut. */
  readonly isBackground: boolean
}

/** How a request is to be made once. */
export interface ClaimOptions extends Pick<ShareOptions, 'signal' | 'runsOn'> {
  /** Where others see claims, too: now, and as long as what was kept before a reload may be asked for. */
  readonly places: Omit<TakePlaces, 'memory'>
  /** How long an answer can be fetched again. */
  readonly windowMs: number
  /** A larger answer is not kept. */
  readonly keptBytesMax: number
}

/** Takes care that requests of one `Idempotency-Key` reach the upstream once. */
export interface Idempotency<Note> {
  /**
   * Gives a request the answer of its key: one that is kept, that of the request under way here or at another process, or that of
   * `start`. Of other scopes' keys it knows nothing. An answer with a status of 2xx is kept for the window once it is complete; one
   * that fails leaves the key free for a retry.
   *
   * Rejects, or its answer does, with `idempotency_conflict` where the key has been used for another request, and with the other
   * errors of that name where the answer can't be given, or nobody knows whether there is one.
   */
  claim(
    request: IdempotentRequest,
    start: (abort: AbortController) => Promise<CallResult<Note>>,
    options: ClaimOptions,
  ): Promise<Participant<Note>>
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

/** What it needs. */
interface IdempotencyDeps<Note> extends TakeDeps {
  readonly deadlines: Deadlines
  /** Its own, not the cache's. */
  readonly flights: SingleFlight<Note>
  /** Of this process. */
  readonly memory: Claims
  /** Whether a call that failed may have been made all the same. */
  readonly mayBeMade: (cause: unknown) => boolean
  /** Makes the note of an answer that is kept; `joined`: it was waited for. */
  readonly noteKept: (kept: StoredAnswer, how: 'replayed' | 'joined') => Note
  /** Milliseconds since 1970. */
  readonly clock: () => number
  readonly sha256: Sha256
}

/** So long nobody takes a claim for lost whose process is busy or has died. */
const LEASE_MS = 6_000

/**
 * Makes what keeps requests of one `Idempotency-Key` together: one for all of a process, whatever is reloaded.
 *
 * @example
 * const idempotency = createIdempotency({ flights, memory, mayBeMade, noteKept, clock: Date.now, sha256, deadlines, sleep, now })
 * const { role, answer } = await idempotency.claim({ scope, name, fingerprint, … }, start, { signal, runsOn, places, … })
 */
export function createIdempotency<Note>(deps: IdempotencyDeps<Note>): Idempotency<Note> {
  const { flights } = deps
  const calls = new Map<string, ClaimedCall>()
  const waiting: (() => void)[] = []
  const onSettled = (id: string): void => {
    calls.delete(id)
    if (calls.size === 0) for (const resolve of waiting.splice(0)) resolve()
  }
  return {
    async claim(request, start, options) {
      const { scope, name, fingerprint } = request
      const id = digestOf(['nexcode idempotency 2', scope, name], '', deps.sha256)
      const before = (): ClaimedCall | undefined => blocking(calls.get(id), fingerprint, flights, id)
      for (let call = before(); call !== undefined; call = before()) await call.change(options.signal)
      options.signal.throwIfAborted()
      const call = calls.get(id) ?? new ClaimedCall(fingerprint, () => onSettled(id))
      calls.set(id, call)
      const claim = { id, token: crypto.randomUUID(), fingerprint, scope }
      const head: SeenAnswer = { isGood: false, headers: undefined, mayBeMade: false }
      const ending = claimEnding(call, head, { ...request, windowMs: options.windowMs }, deps.clock)
      return flights.join(id, (abort) => begin(call, head, claim, start, abort, options, deps), {
        ...{ signal: options.signal, keptBytesMax: options.keptBytesMax, ...ending },
        // Nobody need wait for another process's call when nobody is left who wants it.
        get runsOn() {
          return options.runsOn && call.isHeld
        },
        isInFull: ({ headers }, chunks) => isInFull(request.endpoint, headers, chunks),
      })
    },
    idle: () => (calls.size === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve))),
  }
}

/** The call that a request has to wait for before it may join that of its key, or begin it. Throws where it may do neither. */
function blocking<Note>(
  call: ClaimedCall | undefined,
  fingerprint: string,
  flights: SingleFlight<Note>,
  id: string,
): ClaimedCall | undefined {
  if (call === undefined) return undefined
  const isOther = call.fingerprint !== fingerprint
  const isUnderWay = flights.has(id)
  if (isOther && call.isCertain && (isUnderWay || call.isTooLarge)) throw new ApiError('idempotency_conflict')
  if (call.isTooLarge) throw new ApiError('idempotency_answer_not_kept')
  return isOther || !isUnderWay || flights.judged(id) !== undefined ? call : undefined
}

/** Takes the claim and makes the call, or gives what another one has come to. */
async function begin<Note>(
  call: ClaimedCall,
  head: SeenAnswer,
  claim: Claim,
  start: (abort: AbortController) => Promise<CallResult<Note>>,
  abort: AbortController,
  { places, windowMs }: ClaimOptions,
  deps: IdempotencyDeps<Note>,
): Promise<CallResult<Note>> {
  const times: ClaimTimes = { leaseMs: LEASE_MS, windowMs }
  const taken = await takeClaim(claim, { memory: deps.memory, ...places }, times, abort.signal, deps)
  if (taken instanceof HeldClaim) {
    call.hold(taken)
    const source = await start(abort).catch((cause: unknown) => {
      head.mayBeMade = deps.mayBeMade(cause)
      throw cause
    })
    head.isGood = source.answer.ok
    head.headers = source.answer.headers
    return source
  }
  if (taken.fingerprint !== claim.fingerprint) throw new ApiError('idempotency_conflict')
  call.confirm()
  if (taken.kind !== 'running') return keptIn(taken, 'replayed', deps)
  const { current, former } = places
  const stores = [deps.memory, ...former, ...(current === undefined ? [] : [current])]
  return keptIn(await awaitClaim(claim.id, stores, abort.signal, deps), 'joined', deps)
}

async function keptIn<Note>(
  found: ClaimStanding,
  how: 'replayed' | 'joined',
  { noteKept }: IdempotencyDeps<Note>,
): Promise<CallResult<Note>> {
  if (found.kind === 'running') throw new ApiError('idempotency_under_way')
  if (found.kind === 'lost') throw new ApiError('idempotency_outcome_unknown')
  const kept = found.kind === 'answered' ? await decodeAnswer(found.answer) : undefined
  // Torn, it has been given all the same.
  if (kept === undefined) throw new ApiError('idempotency_answer_not_kept')
  return { answer: new Response(null, { status: kept.status }), note: noteKept(kept, how) }
}

/**
 * Reads a request's `Idempotency-Key`; undefined: it has none. One that has come twice, as over two proxies, counts once.
 *
 * Throws `invalid_idempotency_key` where it is empty, since whoever sends it relies on it.
 *
 * @example
 * const name = idempotencyNameOf(exchange.request.headers)
 */
export function idempotencyNameOf(headers: Headers): string | undefined {
  const value = headers.get('idempotency-key')
  if (value === null) return undefined
  const text = value.trim()
  const half = (text.length - 2) / 2
  // Repeated headers are joined by a comma and a space.
  const isTwice = text.slice(half, half + 2) === ', ' && text.slice(0, half) === text.slice(half + 2)
  const name = isTwice ? text.slice(0, half) : text
  if (name === '' || name === ',') throw new ApiError('invalid_idempotency_key')
  return name
}
