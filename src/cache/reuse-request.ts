import type { Exchange } from '../exchange/exchange.ts'
import type { Compared } from '../requests/pass-body.ts'
import type { PreparedRequest } from '../requests/prepared-request.ts'
import type { TargetAnswer } from '../routing/attempts/ask.ts'
import type { Deployment } from '../routing/targets/router.ts'
import type { CacheStatus } from './cache-headers.ts'

/** Asks the targets, for an exchange or for a part of one that ends by itself. Rejects as the attempts do. */
export type AskNext = (exchange: Exchange) => Promise<TargetAnswer>

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
  readonly answer: (request: PreparedRequest, next: AskNext) => Promise<Reused>
}
