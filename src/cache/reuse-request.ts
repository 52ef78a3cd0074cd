import type { Settings } from '../config/settings.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { OutgoingBody } from '../requests/outgoing-body.ts'
import type { Compared } from '../requests/pass-body.ts'
import type { Answered } from '../routing/attempts/ask.ts'
import type { Deployment, Route } from '../routing/targets/router.ts'
import type { CacheStatus } from './cache-headers.ts'

/** A request that may get another one's answer. */
export interface ReuseRequest {
  readonly exchange: Exchange
  readonly outgoing: OutgoingBody
  readonly route: Route
  readonly settings: Settings
  /** The longest silence between two chunks of this deployment's answer, in ms; 0: no limit. */
  readonly streamIdleMsOf: (deployment: Deployment) => number
  /** The time from the request's arrival to the last byte of this deployment's answer, in ms; 0: no limit. */
  readonly totalMsOf: (deployment: Deployment) => number
}

/** Asks the targets, for an exchange or for a part of one that ends by itself. Rejects as the attempts do. */
export type AskNext = (exchange: Exchange) => Promise<Answered>

/** An answer, wherever it came from. */
export interface Reused {
  readonly answer: Response
  /** undefined: no upstream was asked for it. */
  readonly deployment: Deployment | undefined
  /** Its call watches the upstream's silence already, for all readers. Each reader's own silence is another matter: it may wait for a slower reader. */
  readonly isWatched: boolean
  /** undefined: the cache has no part in it. */
  readonly served: CacheStatus | undefined
  /** It is the answer of an earlier request with the same `Idempotency-Key`. */
  readonly idempotent?: Exchange['idempotent']
  /** The key in the cache. */
  readonly key: string | undefined
}

/** Where the answers of a stage come from. */
export interface ReuseSource {
  /** Which bodies have to be read whole before `answer`, so that equal requests can be told from others. */
  readonly bodyNeeded: (exchange: Exchange) => Compared
  /** Answers from a store, from a call that is under way, or by `next`. Rejects as that does, and with errors of its own. */
  readonly answer: (request: ReuseRequest, next: AskNext) => Promise<Reused>
}
