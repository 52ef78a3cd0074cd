import type { Outcome } from '../../exchange/outcome.ts'
import type { JsonObject } from '../../formats/json/json.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { PreparedRequest } from '../../requests/prepared-request.ts'
import { type CallerLimits, limitsOfCaller } from '../caller-limits.ts'
import type { MeteredCall } from '../metered-call.ts'
import { assertEventPermitted, binaryRefused, isLimited } from './event-permissions.ts'
import type { MeteredSession, SessionDeps, SessionOpening, SessionVerdict } from './metered-session.ts'
import { exchangeOfTurn, prepareTurn } from './prepare-turn.ts'
import { type ClientEvent, readClientEvent, refusalEvent } from './session-events.ts'
import { SessionState } from './session-state.ts'
import { SessionTurn, type TurnCause } from './session-turn.ts'
import { SessionTurns } from './session-turns.ts'

/** Events by which a client asks for a response. */
const ASKING: ReadonlySet<string> = new Set(['response.create', 'response.steer'])
/** How often a client is told that what its user says can't be heard. */
const TOLD_EVERY_MS = 1000
const DROPPED: SessionVerdict = { reply: undefined, closing: undefined }

/** A session each of whose responses is allowed, counted and booked by itself. */
export class CountedSession implements MeteredSession {
  readonly #opening: SessionOpening
  readonly #deps: SessionDeps
  readonly #state = new SessionState()
  readonly #turns: SessionTurns
  #ahead: SessionTurn | undefined
  #toldAt = Number.NEGATIVE_INFINITY
  #isOver = false

  constructor(opening: SessionOpening, deps: SessionDeps) {
    this.#opening = opening
    this.#deps = deps
    this.#turns = new SessionTurns(opening.protocol, this.#state, deps.book, () => this.#newTurn('unasked'))
    this.#state.respondsByItself = opening.protocol === 'realtime'
    opening.exchange.atEnd((outcome) => this.#end(outcome))
  }

  judge(
    payload: Uint8Array<ArrayBuffer>,
    isText: boolean,
  ): SessionVerdict | undefined | Promise<SessionVerdict | undefined> {
    let event: ClientEvent | 'sound' | 'plain' | undefined
    try {
      const limits = this.#limits
      if (!isText) return isLimited(limits) ? this.#refused(binaryRefused()) : undefined
      event = readClientEvent(payload, limits?.restrictsModels === true)
      if (typeof event === 'object') {
        if (ASKING.has(event.type)) return this.#ask(event, payload)
        assertEventPermitted(event, limits, this.#opening)
      }
      if (event === 'sound' && this.#mustProvide(limits)) return this.#provide(payload)
    } catch (thrown) {
      return this.#refused(thrown, typeof event === 'object' ? event : undefined)
    }
    this.#pass(payload, event)
    return undefined
  }

  hear(text: string): Promise<SessionVerdict | undefined> | undefined {
    const unasked = this.#turns.hear(text, this.#ahead)
    if (unasked === undefined) return undefined
    if (unasked === this.#ahead) {
      this.#ahead = undefined
      unasked.onBegin?.()
      return undefined
    }
    return this.#go(unasked, undefined).then(
      () => undefined,
      // Who has nothing left is not answered on: what has been said so far is booked.
      (thrown: unknown) => ({ ...this.#refused(thrown), closing: 'limit reached' }),
    )
  }

  get #limits(): CallerLimits | undefined {
    return limitsOfCaller(this.#opening.exchange)
  }

  /** A client asks for a response: its event waits until that is decided. */
  async #ask(event: ClientEvent, payload: Uint8Array): Promise<SessionVerdict | undefined> {
    try {
      if (this.#opening.protocol === 'realtime') assertEventPermitted(event, this.#limits, this.#opening)
      // What is held for a response by itself is for the one that is asked for now.
      this.#dropAhead()
      const turn = this.#newTurn('asked', event.value)
      if (!(await this.#go(turn, event))) return DROPPED
      this.#turns.add(turn)
    } catch (thrown) {
      return this.#refused(thrown, event)
    }
    this.#state.send(payload, false)
    return undefined
  }

  /** Provides for the response that the upstream may begin by itself once it has heard this. */
  async #provide(payload: Uint8Array): Promise<SessionVerdict | undefined> {
    const turn = this.#newTurn('ahead')
    try {
      if (!(await this.#go(turn, undefined))) return DROPPED
      this.#ahead = turn
    } catch (thrown) {
      const now = performance.now()
      if (now - this.#toldAt < TOLD_EVERY_MS) return DROPPED
      this.#toldAt = now
      return this.#refused(thrown)
    }
    this.#state.send(payload, true)
    return undefined
  }

  /** Whether a response that nobody asks for has to be provided for before more is heard. */
  #mustProvide(limits: CallerLimits | undefined): boolean {
    return this.#ahead === undefined && this.#state.respondsByItself && isLimited(limits)
  }

  #dropAhead(): void {
    this.#ahead?.discard()
    this.#ahead = undefined
  }

  #newTurn(cause: TurnCause, event?: JsonObject): SessionTurn {
    return new SessionTurn(exchangeOfTurn(this.#opening), cause, this.#state.sent, event)
  }

  /** Has a response go through all that a POST goes through; false: the session has ended meanwhile. Rejects with the refusal. */
  async #go(turn: SessionTurn, event: ClientEvent | undefined): Promise<boolean> {
    const { exchange } = turn
    try {
      const { findCaller, principal } = this.#opening.exchange
      // A key may have been revoked, or may have other limits, since the session began.
      exchange.identify(findCaller?.() ?? principal)
      const limits = this.#deps.limitsOf(exchange)
      const request = await prepareTurn(this.#opening, exchange, event, limits, this.#state, turn.cause === 'ahead')
      const { call, reserve } = this.#deps.meter(request)
      if (turn.cause === 'unasked') this.#begin(turn, request, call)
      await this.#deps.enter(exchange, request.outgoing, turn.cause === 'ahead')
      await reserve()
      if (!this.#isOver && turn.cause !== 'unasked') this.#begin(turn, request, call)
      turn.decided()
    } catch (thrown) {
      // What is refused takes nothing of any limit.
      if (thrown instanceof ApiError) exchange.error = thrown
      turn.decided()
      if (turn.cause !== 'unasked') turn.end({ kind: 'failed', cause: thrown })
      throw thrown
    }
    if (this.#isOver) turn.end({ kind: 'cancelled' })
    return !this.#isOver
  }

  #begin(turn: SessionTurn, request: PreparedRequest, call: MeteredCall): void {
    const { deployment } = this.#opening
    const begin = (): void => {
      request.deployment = deployment
      turn.sent = call.onSend(deployment, performance.now())
    }
    // What was only provided for is no call.
    if (turn.cause === 'ahead') turn.onBegin = begin
    else begin()
    turn.count(call)
  }

  #pass(payload: Uint8Array, event: ClientEvent | 'sound' | 'plain'): void {
    this.#state.send(payload, event === 'sound')
    if (typeof event === 'object' && event.type === 'session.update') this.#state.ask(event.value['session'])
  }

  #refused(thrown: unknown, event?: ClientEvent): SessionVerdict {
    const error = thrown instanceof ApiError ? thrown : new ApiError('internal_error', { cause: thrown })
    const reply = refusalEvent(error, this.#opening.protocol, event)
    return { reply, closing: error.entry.status === 401 ? 'the key is not in force' : undefined }
  }

  #end(outcome: Outcome): void {
    this.#isOver = true
    this.#dropAhead()
    this.#turns.end(outcome)
  }
}
