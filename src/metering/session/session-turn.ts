import type { Exchange } from '../../exchange/exchange.ts'
import type { Outcome } from '../../exchange/outcome.ts'
import type { JsonObject } from '../../formats/json/json.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { ToldUsage } from '../../openai/usage/usage.ts'
import type { SentCall } from '../../routing/attempts/sent-call.ts'
import type { SessionState } from './session-state.ts'

/** What is told to the one who counts a response. */
interface TurnCall {
  readonly add: (value: JsonObject) => void
  readonly saw: (bytes: number) => void
  readonly onAnswer: (answer: Pick<Response, 'status'>) => void
  readonly told: () => ToldUsage
}

const BAD_REQUEST = 400

/** How a response came about: its client has asked for it; it is provided for, should the upstream begin one by itself; it has begun one. */
export type TurnCause = 'asked' | 'ahead' | 'unasked'

/** One response of a session: from the asking for it, or its beginning, to its end. It is a call of its own, with an exchange of its own. */
export class SessionTurn {
  readonly exchange: Exchange
  readonly cause: TurnCause
  /** What the client has named its event, and the lane in which the response is made; undefined: it has not. */
  readonly eventId: string | undefined
  readonly lane: string | undefined
  /** What had been sent in the session when it was asked for. */
  readonly before: SessionState['sent']
  /** The response's id, once it has begun. */
  id: string | undefined = undefined
  hasBegun = false
  /** Its call upstream; undefined: it has not been sent. */
  sent: SentCall | undefined = undefined
  /** Is called when it begins; for one that is only provided for. */
  onBegin: (() => void) | undefined = undefined
  #call: TurnCall | undefined
  #untold: ((call: TurnCall) => void)[] = []
  #isDecided = false
  #end: Outcome | undefined

  constructor(exchange: Exchange, cause: TurnCause, before: SessionState['sent'], event: JsonObject = {}) {
    const { event_id: eventId, stream_id: lane } = event
    this.exchange = exchange
    this.cause = cause
    this.before = before
    this.eventId = typeof eventId === 'string' ? eventId : undefined
    this.lane = typeof lane === 'string' ? lane : undefined
  }

  /** From now on it is counted. */
  count(call: TurnCall): void {
    this.#call = call
    for (const tell of this.#untold) tell(call)
    this.#untold = []
  }

  /** It is decided whether it may go on: if it has ended meanwhile, it ends now. */
  decided(): void {
    this.#isDecided = true
    if (this.#end !== undefined) this.exchange.end(this.#end)
  }

  /** Tells the one who counts: at once, or as soon as there is one. */
  tell(tell: (call: TurnCall) => void): void {
    if (this.#call === undefined) this.#untold.push(tell)
    else tell(this.#call)
  }

  /** Its upstream answers it. */
  answered(): void {
    if (!this.hasBegun) this.tell((call) => call.onAnswer({ status: 200 }))
    this.hasBegun = true
  }

  /** Its upstream does not make it, and bills nothing. */
  refused(): void {
    this.tell((call) => call.onAnswer({ status: BAD_REQUEST }))
    if (this.sent !== undefined) this.sent.isBilled = false
  }

  /** It was provided for, and is not needed any more: it takes nothing of any limit. */
  discard(): void {
    this.exchange.error = new ApiError('rate_limited')
    this.end({ kind: 'cancelled' })
  }

  /** What it has used, by what is known so far. */
  get used(): ToldUsage | undefined {
    return this.#call?.told()
  }

  /** Ends it, once it is decided. The first call counts. */
  end(outcome: Outcome): void {
    this.#end ??= outcome
    if (this.#isDecided) this.exchange.end(this.#end)
  }
}
