import type { Settings } from '../config/settings.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Sha256 } from '../formats/bytes/digest.ts'
import type { OutgoingBody } from '../requests/outgoing-body.ts'
import type { Answered } from '../routing/attempts/ask.ts'
import type { Deployment, Route } from '../routing/targets/router.ts'
import type { Store } from '../storage/store.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import type { Sleep } from '../timing/sleep.ts'
import type { StoredAnswer } from './answers/stored-answer.ts'
import type { Served } from './cache-headers.ts'
import type { Memory } from './single-flight/kept-chunks.ts'

/** A request whose answer may be another one's, too. */
export interface ReuseRequest {
  readonly exchange: Exchange
  readonly outgoing: OutgoingBody
  readonly route: Route
  readonly settings: Settings
  /** Asks the targets, for a part of the exchange that ends by itself. */
  readonly forward: (exchange: Exchange) => Promise<Answered>
  /** Between two chunks of the upstream's; 0: none. */
  readonly streamIdleMsOf: (deployment: Deployment) => number
  /** From the request's arrival to its answer's last byte; 0: no limit. */
  readonly totalMsOf: (deployment: Deployment) => number
}

/** An answer, from wherever it came. */
export interface Reused {
  readonly answer: Response
  /** undefined: no upstream was asked for it. */
  readonly deployment: Deployment | undefined
  /** Its silence is watched already, for all who read it: who waits for a slower one of them waits for no upstream. */
  readonly isWatched: boolean
  /** undefined: the cache has no part in it. */
  readonly served: Served | undefined
  /** It is the answer of an earlier request with the same `Idempotency-Key`. */
  readonly idempotent?: Exchange['idempotent']
  /** The key in the cache. */
  readonly key: string | undefined
}

/** What answering from kept answers needs. */
export interface ReuseDeps {
  /** Where answers are kept; it can't hurt. */
  readonly store: Store
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly deadlines: Deadlines
  readonly sleep: Sleep
  readonly digest: Sha256
  readonly settings: Settings
  /** What is kept for several counts towards it. */
  readonly memory: Memory
}

/** What whoever delivers an answer has to know beside it. */
export interface FlightNote {
  /** undefined: no upstream was asked for it. */
  readonly deployment: Deployment | undefined
  /** false: a client's own retries would only repeat what has been tried here. */
  readonly shouldRetry: false | undefined
  /** The answer is this one, which was given before; and whether it was waited for. */
  readonly kept?: { readonly answer: StoredAnswer; readonly how: 'replayed' | 'joined' }
}
