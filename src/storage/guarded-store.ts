import { ignoreRejection } from '../formats/ignore-rejection.ts'
import type { Log } from '../telemetry/log.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import type { Claims } from './claims.ts'
import type { Store, StoreStats } from './store.ts'
import { StoreBreaker } from './store-breaker.ts'
import { WatchedClaims } from './watched-claims.ts'
import { whyTakesNothing } from './why-takes-nothing.ts'

/** The options of a guard. */
export interface GuardOptions {
  /** The longest time for a look-up. */
  readonly waitMs: number
  /** The claims that all share: no request may go on without them. Absent: the store's. */
  readonly claims?: Claims | undefined
  readonly deadlines: Deadlines
  readonly log: Pick<Log, 'info' | 'warn'>
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number
}

/** The longest time for a write, a purge or a count, which no request waits for. */
const SLOW_MS = 10_000
const SETS_MAX = 4096
const TAKES_NOTHING =
  'the store takes nothing more: what it has is served, new answers are not kept, and requests with an Idempotency-Key are refused until it does'
/** A nearly full disk takes one write and refuses another: that counts as one time of trouble. */
const SETTLED_MS = 30_000
const SET_BYTES_MAX = 64 * 1024 * 1024

/**
 * Makes a store that can't hurt: no call rejects, a look-up or a deletion gives nothing after `waitMs`, and a caller waits no longer
 * for a write, which goes on for ten seconds at most. After a failure the store is left alone for a while (`StoreBreaker`). A store that
 * can be read but takes nothing, as on a full disk, gets no writes but is read. The log has a line when that begins and when it ends.
 *
 * `purge` and `stats` give the right number or, with a line in the log, 0: they may take ten seconds, and are always tried.
 *
 * @example
 * const store = guardStore(openStore(spec, options), { waitMs: 50, deadlines, log, now: () => performance.now() })
 */
export function guardStore(store: Store, options: GuardOptions): Store {
  return new GuardedStore(store, options)
}

class GuardedStore implements Store {
  readonly name: Store['name']
  readonly claims: Store['claims']
  readonly #store: Store
  readonly #options: GuardOptions
  readonly #breaker: StoreBreaker
  readonly #writes: StoreBreaker
  #sets = 0
  #setBytes = 0

  constructor(store: Store, options: GuardOptions) {
    const { log, now } = options
    this.name = store.name
    this.#store = store
    this.#options = options
    this.#breaker = new StoreBreaker(now, {
      onTrouble: (err) =>
        log.warn(
          { store: store.name, cause: whyTakesNothing(err), err },
          'the store is in trouble: requests go on without it',
        ),
      onWell: (awayMs) => log.info({ store: store.name, awayMs: Math.round(awayMs) }, 'the store is back'),
    })
    this.#writes = new StoreBreaker(
      now,
      {
        onTrouble: (cause) => log.warn({ store: store.name, cause: whyTakesNothing(cause) }, TAKES_NOTHING),
        onWell: (awayMs) =>
          log.info({ store: store.name, awayMs: Math.round(awayMs) }, 'the store takes answers again'),
      },
      SETTLED_MS,
    )
    const { claims = store.claims } = options
    // Claims given by the caller are watched by the caller, and must stay the same object over reloads.
    this.claims = claims === undefined || claims !== store.claims ? claims : this.#watched(claims)
  }

  get(key: string): ReturnType<Store['get']> {
    return this.#guard(() => this.#store.get(key), undefined, this.#options.waitMs)
  }

  set(
    key: string,
    value: Uint8Array,
    options: { readonly ttlMs: number; readonly scope: string },
  ): void | Promise<void> {
    // A single write is let through, whatever its size.
    if (this.#sets >= SETS_MAX || (this.#sets > 0 && this.#setBytes + value.byteLength > SET_BYTES_MAX)) return
    const setting = this.#guard(() => this.#store.set(key, value, options), undefined, SLOW_MS, true)
    if (!(setting instanceof Promise)) return
    this.#sets += 1
    this.#setBytes += value.byteLength
    const written = setting.then(() => {
      this.#sets -= 1
      this.#setBytes -= value.byteLength
    })
    return ignoreRejection(this.#inTime(written, this.#options.waitMs))
  }

  delete(key: string): boolean | Promise<boolean> {
    return this.#guard(() => this.#store.delete(key), false, this.#options.waitMs, true)
  }

  purge(scope?: string): Promise<number> {
    return this.#insist('purge', () => this.#store.purge(scope), 0)
  }

  stats(): Promise<StoreStats> {
    return this.#insist('stats', () => this.#store.stats(), { entries: 0, bytes: 0 })
  }

  async close(): Promise<void> {
    await this.#insist('close', () => this.#store.close(), undefined)
  }

  /** Runs a call, which is left out or given up where the store is in trouble; a write also where the store takes nothing. */
  #guard<T>(call: () => T | Promise<T>, otherwise: T, limitMs: number, isWrite = false): T | Promise<T> {
    const breaker = isWrite && !this.#breaker.isOpen ? this.#writes : this.#breaker
    const epoch = breaker.ask()
    if (epoch === undefined) return otherwise
    const startedAt = this.#options.now()
    try {
      const result = call()
      if (result instanceof Promise) return this.#settle(breaker, epoch, result, otherwise, limitMs)
      // A synchronous call can't be given up, but the breaker spares the next ones.
      const tookMs = this.#options.now() - startedAt
      if (tookMs > this.#options.waitMs) this.#failed(breaker, epoch, timedOut(tookMs))
      else breaker.onSuccess(epoch)
      return result
    } catch (cause) {
      this.#failed(breaker, epoch, cause)
      return otherwise
    }
  }

  async #settle<T>(
    breaker: StoreBreaker,
    epoch: number,
    pending: Promise<T>,
    otherwise: T,
    limitMs: number,
  ): Promise<T> {
    try {
      const result = await this.#inTime(pending, limitMs)
      breaker.onSuccess(epoch)
      return result
    } catch (cause) {
      this.#failed(breaker, epoch, cause)
      return otherwise
    }
  }

  #watched(claims: Claims): Claims {
    return new WatchedClaims(claims, {
      begin: () => this.#writes.epoch,
      succeeded: (epoch) => this.#writes.onSuccess(epoch),
      failed: (epoch, cause) => this.#failed(this.#writes, epoch, cause),
    })
  }

  /** Reports a failure to the breaker that it is about, which may be another than the one that let the call through. */
  #failed(breaker: StoreBreaker, epoch: number, cause: unknown): void {
    const isOfWrites = breaker === this.#writes && whyTakesNothing(cause) !== undefined
    if (isOfWrites || breaker === this.#breaker) breaker.onFailure(epoch, cause)
    else {
      this.#breaker.onFailure(this.#breaker.epoch, cause)
      if (breaker.isOpen) breaker.onFailure(epoch, cause)
    }
  }

  /** Runs a call even where the breaker is open, since its result was asked for explicitly. */
  async #insist<T>(what: string, call: () => T | Promise<T>, otherwise: T): Promise<T> {
    try {
      return await this.#inTime(Promise.resolve(call()), SLOW_MS)
    } catch (err) {
      this.#options.log.warn({ store: this.name, call: what, err }, 'the store did not do what it was asked for')
      return otherwise
    }
  }

  #inTime<T>(pending: Promise<T>, limitMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const deadline = this.#options.deadlines.start(limitMs, () => {
        // Where this process itself was busy, the answer may have come already, and only has to be read.
        setImmediate(() => reject(timedOut(limitMs)))
      })
      pending.then(resolve, reject).finally(() => deadline.clear())
    })
  }
}

function timedOut(ms: number): Error {
  return new Error(`The store took ${Math.round(ms)} ms.`)
}
