import type { Exchange } from '../exchange/exchange.ts'
import type { Compared } from '../requests/pass-body.ts'
import type { Ask, PreparedRequest } from '../requests/prepared-request.ts'
import type { Store } from '../storage/store.ts'

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

/** The sources of both stages, on one store. */
export interface StageSources {
  readonly idempotency: StageSource
  readonly cache: StageSource
  readonly store: Store
  /** Resolves when no call of the cache is under way any more, and the store is closed. */
  readonly close: () => Promise<void>
}
