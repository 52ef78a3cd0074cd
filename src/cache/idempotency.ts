import { ApiError } from '../openai/api-error.ts'
import { isInFull, isWholeAnswer } from '../openai/whole-answer.ts'
import type { Store } from '../store/store.ts'
import { storedHeaders } from './cache-headers.ts'
import { type CachedAnswer, decodeAnswer, encodeAnswer, type TimedChunk } from './cached-answer.ts'
import type { FlightOptions, Flights, Joined, Source } from './flight.ts'
import type { Scope } from './scope.ts'
import { digestOf, type Sha256 } from './sha256.ts'

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
}

/** What becomes of a request with an `Idempotency-Key`. */
export type Claimed<Note> =
  /** It is made, or joins the one that is being made. */
  | Joined<Note>
  /** It has been answered, and gets the same bytes. */
  | { readonly role: 'replay'; readonly answer: CachedAnswer }

/** Takes care that requests of one `Idempotency-Key` reach the upstream once. */
export interface Idempotency<Note> {
  /**
   * Gives a request the answer of its key: one that is kept, that of the request under way, or that of `start`. Of other scopes'
   * keys it knows nothing. An answer with a status of 2xx is kept for the window once it is complete; one that fails leaves
   * the key free for a retry.
   *
   * Rejects with `idempotency_conflict` where the key has been used for another request.
   */
  claim(
    request: IdempotentRequest,
    start: (abort: AbortController) => Promise<Source<Note>>,
    options: Pick<FlightOptions, 'signal' | 'runsOn' | 'onBroken'>,
  ): Promise<Claimed<Note>>
}

/** What it needs. */
export interface IdempotencyDeps<Note> {
  /** Its own, not the cache's. */
  readonly flights: Flights<Note>
  /** The cache's, or one in memory where the cache is off. Must not reject. */
  readonly store: Store
  /** How long an answer can be fetched again; 10 minutes by default. */
  readonly windowMs: number
  /** Milliseconds since 1970. */
  readonly clock: () => number
  readonly sha256: Sha256
}

const FINGERPRINT_NAME = 'x-nexcode-fingerprint'

/**
 * Reads a request's `Idempotency-Key`; undefined: it has none.
 *
 * @example
 * const name = idempotencyNameOf(exchange.request.headers)
 */
export function idempotencyNameOf(headers: Headers): string | undefined {
  return headers.get('idempotency-key')?.trim() || undefined
}

/**
 * Makes what keeps requests of one `Idempotency-Key` together.
 *
 * @example
 * const idempotency = createIdempotency({ flights: createFlights(deps), store, windowMs: 600_000, clock: Date.now, sha256 })
 * const claimed = await idempotency.claim({ scope, name, fingerprint }, start, { signal, runsOn })
 */
export function createIdempotency<Note>(deps: IdempotencyDeps<Note>): Idempotency<Note> {
  const { flights, store, windowMs, clock, sha256 } = deps
  /** The fingerprints of the requests under way. */
  const running = new Map<string, string>()
  return {
    async claim({ scope, name, fingerprint, endpoint }, start, options) {
      const id = digestOf(['nexcode idempotency 1', scope, name], '', sha256)
      if (!running.has(id)) {
        const kept = await store.get(id)
        const answer = kept === undefined ? undefined : openKept(kept, fingerprint)
        if (answer !== undefined) return { role: 'replay', answer }
      }
      // The client may have left during that, and another one may have begun.
      options.signal.throwIfAborted()
      if ((running.get(id) ?? fingerprint) !== fingerprint) throw new ApiError('idempotency_conflict')
      const keep = async ({ status, headers }: Response, chunks: readonly TimedChunk[]): Promise<void> => {
        if (status < 200 || status > 299 || !(await isWholeAnswer(endpoint, headers, chunks))) return
        const kept = { status, headers: storedHeaders(headers), chunks, storedAt: clock(), ttlMs: windowMs }
        await store.set(id, sealKept(kept, fingerprint), { ttlMs: windowMs, scope })
      }
      running.set(id, fingerprint)
      const isAllThere: FlightOptions['isInFull'] = ({ headers }, chunks) => isInFull(endpoint, headers, chunks)
      return flights.join(id, start, {
        ...options,
        isInFull: isAllThere,
        onComplete: keep,
        onOver: () => running.delete(id),
      })
    },
  }
}

/** The fingerprint goes in front of the headers, under the checksum of all. */
function sealKept(answer: CachedAnswer, fingerprint: string): Uint8Array {
  return encodeAnswer({ ...answer, headers: [[FINGERPRINT_NAME, fingerprint], ...answer.headers] })
}

/** Throws `idempotency_conflict` where it is another request's; undefined: torn. */
function openKept(sealed: Uint8Array, fingerprint: string): CachedAnswer | undefined {
  const answer = decodeAnswer(sealed)
  if (answer === undefined) return undefined
  const [first, ...headers] = answer.headers
  if (first?.[1] !== fingerprint) throw new ApiError('idempotency_conflict')
  return { ...answer, headers }
}
