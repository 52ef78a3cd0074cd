import type { Settings } from '../config/settings.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Compared } from '../requests/pass-body.ts'
import type { Ask, PreparedRequest, Recalled } from '../requests/prepared-request.ts'
import type { Store } from '../storage/store.ts'
import type { KnownHits } from './known-hits.ts'

/** The source of a stage's answers. It outlives a reload that changes nothing about it. */
export interface StageSource {
  /** Which bodies have to be read whole before `answer`, so that equal requests can be told from others. */
  readonly bodyNeeded: (exchange: Exchange) => Compared
  /**
   * Answers from a store, from a call that is under way, or by `next`, and notes on the request where the answer came from. Rejects as
   * `next` does, and with errors of its own.
   */
  readonly answer: (request: PreparedRequest, next: Ask) => Promise<Response>
}

/** The source of the cache's answers. */
export interface CacheSource {
  readonly bodyNeeded: StageSource['bodyNeeded']
  /** The same as of any source. `hits` learns from requests that are answered from the store. */
  readonly answer: (request: PreparedRequest, next: Ask, hits: KnownHits) => Promise<Response>
  /** Answers a request that repeats one which `hits` has learnt from, where its stored answer will still do; else undefined. */
  readonly recall: (
    exchange: Exchange,
    settings: Settings,
    hits: KnownHits,
  ) => Recalled | undefined | Promise<Recalled | undefined>
  /** Makes an index of hits, for one generation of settings. */
  readonly createHits: () => KnownHits
  /** Resolves when no call is under way any more. */
  readonly idle: () => Promise<void>
}

/** The sources of both stages, on one store. */
export interface StageSources {
  readonly idempotency: StageSource
  readonly cache: CacheSource
  readonly store: Store
  /** Resolves when no call of the cache is under way any more, and the store is closed. */
  readonly close: () => Promise<void>
}
