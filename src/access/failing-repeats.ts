import type { Exchange } from '../exchange/exchange.ts'
import type { Outcome } from '../exchange/outcome.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Log } from '../telemetry/log.ts'

/** Limits how often one caller has the same failing request made again: no header tells of all the loops around a call. */
export interface FailingRepeats {
  /** Whether the requests of this caller are counted at present: only then `admit` may refuse one. */
  readonly watches: (exchange: Exchange) => boolean
  /** Throws `failing_repeats` if a request has failed too often lately. */
  readonly admit: (exchange: Exchange, outgoing: Sent) => void
  /** Counts an answer that has begun, if it is a failure. */
  readonly answered: (exchange: Exchange, outgoing: Sent, answer: Response) => void
  /** Counts a request without an answer, if that may be the upstream's fault. */
  readonly failed: (exchange: Exchange, outgoing: Sent, thrown: unknown) => void
  /** Takes the end of an exchange: a caller whose answer broke off is watched from now on. */
  readonly onEnd?: (exchange: Exchange, outcome: Outcome) => void
}

/** The source of the body that goes upstream. */
export interface Sent {
  readonly bodyFor: (model: undefined) => unknown
}

/** The limit, the clock and the platform of the counting. */
export interface FailingRepeatsDeps {
  /** The number of failures of one request that are let through in a window; 0: any number. */
  readonly max: number
  /** Monotonic, in ms. */
  readonly now: () => number
  readonly sha256: (data: string | Uint8Array) => Uint8Array
  readonly log: Pick<Log, 'warn'>
}

/** The failures of one request of one caller. */
interface Repeated {
  readonly since: number
  failures: number
  isTold: boolean
}

const WINDOW_MS = 60_000
const CALLERS_MAX = 1000
const REQUESTS_MAX = 100
/** The digest of a longer body would hold up all other requests. */
const BODY_BYTES_MAX = 8 * 1024 * 1024

const UNCOUNTED: FailingRepeats = { watches: () => false, admit() {}, answered() {}, failed() {} }

/**
 * Makes the limit on failing requests that come again: the same caller, method, target and body. A window begins with the first
 * failure; the count is dropped when it is over, or when a repeat succeeds.
 *
 * Nothing is counted while nothing fails, and only the bodies of callers with a recent failure are digested. A body that
 * streams through can't be recognized, and is not counted.
 *
 * @example
 * const repeats = createFailingRepeats({ max: 12, now, sha256, log })
 * repeats.admit(exchange, outgoing)
 */
export function createFailingRepeats(deps: FailingRepeatsDeps): FailingRepeats {
  return deps.max === 0 ? UNCOUNTED : new Counted(deps)
}

class Counted implements FailingRepeats {
  readonly #deps: FailingRepeatsDeps
  readonly #callers = new Map<string, Map<string, Repeated>>()
  /** 0: nothing has failed lately. */
  #watchedUntil = 0

  constructor(deps: FailingRepeatsDeps) {
    this.#deps = deps
  }

  watches(exchange: Exchange): boolean {
    return this.#watched(exchange) !== undefined
  }

  admit(exchange: Exchange, outgoing: Sent): void {
    const requests = this.#watched(exchange)
    const name = requests === undefined ? undefined : this.#nameOf(exchange, outgoing)
    if (requests === undefined || name === undefined) return
    const repeated = requests.get(name)
    const leftMs = repeated === undefined ? 0 : repeated.since + WINDOW_MS - this.#deps.now()
    if (repeated !== undefined && leftMs > 0 && repeated.failures >= this.#deps.max) {
      this.#tell(exchange, repeated, leftMs)
      throw refusal(repeated, leftMs)
    }
    exchange.atEnd((outcome) => {
      if (outcome.kind === 'complete' && exchange.status < 400) requests.delete(name)
      else if (hasBrokenOff(exchange, outcome)) this.#count(exchange, name)
    })
  }

  answered(exchange: Exchange, outgoing: Sent, { status, headers }: Response): void {
    if (status < 429) return
    // A caller that heeds an upstream's limits behaves well.
    const isUntimed = status === 429 && !headers.has('retry-after') && !headers.has('retry-after-ms')
    if (status >= 500 || isUntimed) this.#countFailure(exchange, outgoing)
  }

  failed(exchange: Exchange, outgoing: Sent, thrown: unknown): void {
    const isUpstreams = thrown instanceof ApiError && thrown.entry.fault === 'upstream' && exchange.attempts > 0
    if (isUpstreams) this.#countFailure(exchange, outgoing)
  }

  onEnd(exchange: Exchange, outcome: Outcome): void {
    // The body is gone and can't be digested: counting begins with the next request.
    if (hasBrokenOff(exchange, outcome)) this.#watch(exchange)
  }

  /** The failing requests of a caller who is watched. */
  #watched({ principalName }: Exchange): Map<string, Repeated> | undefined {
    if (this.#watchedUntil === 0) return undefined
    if (this.#deps.now() < this.#watchedUntil) return this.#callers.get(principalName)
    this.#callers.clear()
    this.#watchedUntil = 0
    return undefined
  }

  #watch({ principalName }: Exchange): Map<string, Repeated> {
    this.#watchedUntil = this.#deps.now() + WINDOW_MS
    const known = this.#callers.get(principalName)
    if (known !== undefined) return known
    const requests = new Map<string, Repeated>()
    dropOldest(this.#callers, CALLERS_MAX)
    this.#callers.set(principalName, requests)
    return requests
  }

  #count(exchange: Exchange, name: string): void {
    const requests = this.#watch(exchange)
    const known = requests.get(name)
    const at = this.#deps.now()
    if (known !== undefined && at < known.since + WINDOW_MS) {
      known.failures += 1
      return
    }
    requests.delete(name)
    dropOldest(requests, REQUESTS_MAX)
    requests.set(name, { since: at, failures: 1, isTold: false })
  }

  #countFailure(exchange: Exchange, outgoing: Sent): void {
    const name = this.#nameOf(exchange, outgoing)
    if (name !== undefined) this.#count(exchange, name)
  }

  #nameOf({ request, requestTarget: target }: Exchange, outgoing: Sent): string | undefined {
    const body = outgoing.bodyFor(undefined)
    if (!(body instanceof Uint8Array) || body.byteLength > BODY_BYTES_MAX) return undefined
    return `${this.#deps.sha256(body).join()} ${request.method} ${target}`
  }

  #tell({ id, principalName, endpointName }: Exchange, repeated: Repeated, leftMs: number): void {
    if (repeated.isTold) return
    repeated.isTold = true
    const { failures } = repeated
    this.#deps.log.warn(
      { request_id: id, principal: principalName, route: endpointName, failures, for_ms: Math.ceil(leftMs) },
      'a request has failed again and again: its repeats are answered 429 for the rest of the minute (MAX_FAILED_REPEATS)',
    )
  }
}

/** Whether an answer that had begun well broke off, by the upstream's fault. */
function hasBrokenOff({ status }: Exchange, outcome: Outcome): boolean {
  if (outcome.kind !== 'failed' || status >= 400) return false
  return !(outcome.cause instanceof ApiError) || outcome.cause.entry.fault === 'upstream'
}

function refusal({ failures }: Repeated, leftMs: number): ApiError {
  const retryAfterSeconds = Math.max(1, Math.ceil(leftMs / 1000))
  return new ApiError('failing_repeats', {
    message: `Too many retries: this request has failed ${failures} times within a minute, and was not sent again. Please try again in ${retryAfterSeconds}s.`,
    retryAfterSeconds,
  })
}

function dropOldest<T>(map: Map<string, T>, max: number): void {
  if (map.size < max) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
