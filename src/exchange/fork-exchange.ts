import { ApiError } from '../openai/api-error.ts'
import type { Exchange } from './exchange.ts'
import type { Outcome } from './outcome.ts'

/** What a part of an exchange has of its own. */
export type ForkParts = Partial<Pick<Exchange, 'request' | 'requestTarget' | 'body' | 'json' | 'abort'>>

/**
 * Makes a part of an exchange that ends by itself: a call that is made for it, and perhaps for others, too, or several times.
 *
 * What is let go at its end is let go then; it is no line of the log. `tell` brings what it has found out to the exchange.
 *
 * @example
 * const fork = forkExchange(exchange, { abort: new AbortController() })
 * const answered = await ask(fork)
 * fork.tell(exchange)
 */
export function forkExchange(exchange: Exchange, parts: ForkParts): Fork {
  return new Fork(exchange, parts)
}

/** A part of an exchange. */
export class Fork implements Exchange {
  readonly id: string
  readonly clientRequestId: string | undefined
  readonly request: Request
  readonly received: Headers
  readonly isHttp10: boolean
  body: Exchange['body']
  readonly json: Exchange['json']
  requestTarget: string
  named: Exchange['named']
  readonly from: string
  readonly startedAt: number
  readonly abort: AbortController
  endpointName: string
  model: string | undefined
  principal: Exchange['principal']
  stream: boolean
  upstreamRequestId: string | undefined
  attempts = 0
  upstream: string | undefined
  tries: Exchange['tries']
  connection: Exchange['connection']
  rules: Exchange['rules']
  params: string
  cache: string | undefined
  idempotent: Exchange['idempotent']
  shouldRetry: false | undefined
  isMarked: boolean
  timeToFirstByteMs: number | undefined
  upstreamMs: number | undefined
  status = 0
  error: ApiError | undefined
  isTapped = false
  isDelivered = false
  /** How it ended; undefined: it has not. */
  outcome: Outcome | undefined
  #releases: ((outcome: Outcome) => void)[] = []
  #hasEnded = false
  readonly #whole: Exchange
  #total: Exchange['total']

  constructor(exchange: Exchange, parts: ForkParts) {
    this.#whole = exchange
    this.id = exchange.id
    this.clientRequestId = exchange.clientRequestId
    this.request = parts.request ?? exchange.request
    this.received = exchange.received
    this.isHttp10 = exchange.isHttp10
    this.body = 'body' in parts ? parts.body : exchange.body
    this.json = 'body' in parts ? parts.json : exchange.json
    this.requestTarget = parts.requestTarget ?? exchange.requestTarget
    this.named = parts.requestTarget === undefined ? exchange.named : undefined
    this.from = exchange.from
    this.abort = parts.abort ?? exchange.abort
    this.startedAt = exchange.startedAt
    this.endpointName = exchange.endpointName
    this.model = exchange.model
    this.principal = exchange.principal
    this.stream = exchange.stream
    this.rules = exchange.rules
    this.params = exchange.params
    this.isMarked = exchange.isMarked
    if (exchange.tries !== undefined) this.tries = []
  }

  get total(): Exchange['total'] {
    return this.#total
  }

  /** A limit of its own takes the place of the exchange's. */
  set total(deadline: Exchange['total']) {
    this.#whole.total?.clear()
    this.#total = deadline
  }

  onceArrived(callback: (at: number) => void): void {
    this.#whole.onceArrived(callback)
  }

  atEnd(release: (outcome: Outcome) => void): void {
    this.#releases.push(release)
  }

  end(outcome: Outcome): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.outcome = this.#blame(outcome)
    for (const release of this.#releases) release(this.outcome)
  }

  /** Tells the exchange what has been found out so far. */
  tell(exchange: Exchange): void {
    exchange.model = this.model
    exchange.stream = this.stream
    exchange.upstreamRequestId = this.upstreamRequestId
    exchange.attempts += this.attempts
    this.attempts = 0
    exchange.upstream = this.upstream ?? exchange.upstream
    if (this.tries !== undefined) {
      exchange.tries = [...(exchange.tries ?? []), ...this.tries]
      this.tries = []
    }
    exchange.connection = this.connection ?? exchange.connection
    exchange.rules = this.rules
    exchange.params = this.params
    exchange.cache = this.cache ?? exchange.cache
    exchange.idempotent = this.idempotent ?? exchange.idempotent
    exchange.shouldRetry = this.shouldRetry
    exchange.timeToFirstByteMs ??= this.timeToFirstByteMs
    exchange.upstreamMs = this.upstreamMs
    exchange.status = this.status
  }

  /** A broken source is only the last thing seen: what broke it is the abort's reason, where there is one. */
  #blame(outcome: Outcome): Outcome {
    if (outcome.kind !== 'failed' || !this.abort.signal.aborted) return outcome
    const { reason } = this.abort.signal
    return reason instanceof ApiError && reason.kind === 'client_closed'
      ? { kind: 'cancelled' }
      : { kind: 'failed', cause: reason }
  }
}
