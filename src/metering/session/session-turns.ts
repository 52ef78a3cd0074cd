import type { Outcome } from '../../exchange/outcome.ts'
import { isJsonObject, type JsonObject } from '../../formats/json/json.ts'
import { SeenText } from '../../openai/usage/seen-text.ts'
import { usageInFrame } from '../../openai/usage/usage-in-frame.ts'
import { mayTellTurn, type SessionProtocol } from './session-events.ts'
import type { SessionState } from './session-state.ts'
import type { SessionTurn } from './session-turn.ts'

/** Events that end a response, by how it ends where the response's own status does not say that. */
const ENDING: ReadonlySet<string> = new Set([
  ...['response.done', 'response.completed', 'response.failed', 'response.incomplete', 'response.cancelled'],
  'response.steer.failed',
])
/** Why a realtime session makes no response: it is making one. */
const IS_ACTIVE = 'conversation_already_has_active_response'
const FAILURE = 'the upstream says that the response has failed'

/** The responses of a session that are under way, in the order in which they were asked for, by what the upstream says of them. */
export class SessionTurns {
  readonly #protocol: SessionProtocol
  readonly #state: SessionState
  readonly #book: (value: JsonObject, transcriber: string | undefined) => void
  readonly #makeUnasked: () => SessionTurn
  readonly #seen = new SeenText()
  #turns: SessionTurn[] = []

  /** `book`: has what belongs to no response booked. `makeUnasked`: makes a response that nobody has asked for. */
  constructor(
    protocol: SessionProtocol,
    state: SessionState,
    book: (value: JsonObject, transcriber: string | undefined) => void,
    makeUnasked: () => SessionTurn,
  ) {
    this.#protocol = protocol
    this.#state = state
    this.#book = book
    this.#makeUnasked = makeUnasked
  }

  /** A response was asked for. */
  add(turn: SessionTurn): void {
    this.#turns.push(turn)
  }

  /**
   * Hears a message of the upstream. Gives the response that has begun with it though nobody has asked for it, of which `ahead` is used first;
   * undefined: none has.
   */
  hear(text: string, ahead: SessionTurn | undefined): SessionTurn | undefined {
    const latest = this.#turns.findLast(({ hasBegun }) => hasBegun)
    if (latest !== undefined) {
      const bytes = this.#seen.add(text)
      latest.tell((call) => call.saw(bytes))
    }
    const value = mayTellTurn(text) ? eventIn(text) : usageInFrame(text)
    if (value === undefined) return undefined
    const type = typeof value['type'] === 'string' ? value['type'] : ''
    if (type === 'session.created' || type === 'session.updated') this.#state.tell(value['session'])
    else if (type === 'response.created') return this.#begin(value, ahead)
    else if (ENDING.has(type)) this.#finish(value, type)
    else if (type === 'error') this.#refused(value)
    else this.#tell(value)
    return undefined
  }

  /** The session has ended, and with it all that is under way. */
  end(outcome: Outcome): void {
    const turns = this.#turns
    this.#turns = []
    for (const turn of turns) turn.end(outcome.kind === 'complete' ? { kind: 'cancelled' } : outcome)
  }

  #begin(value: JsonObject, ahead: SessionTurn | undefined): SessionTurn | undefined {
    const asked = this.#next(value)
    const turn = asked ?? ahead ?? this.#makeUnasked()
    if (asked === undefined) this.#turns.push(turn)
    turn.answered()
    turn.id = idOf(value)
    turn.tell((call) => call.saw(0))
    return asked === undefined ? turn : undefined
  }

  /** The response that was asked for first of those that have not begun, in the lane of an event if it names one. */
  #next({ stream_id: lane }: JsonObject): SessionTurn | undefined {
    const waiting = this.#turns.filter(({ hasBegun }) => !hasBegun)
    return typeof lane === 'string' ? (waiting.find((turn) => turn.lane === lane) ?? waiting[0]) : waiting[0]
  }

  #finish(value: JsonObject, type: string): void {
    const id = idOf(value)
    const turn =
      type === 'response.steer.failed'
        ? this.#next(value)
        : (this.#turns.find((one) => id !== undefined && one.id === id) ??
          this.#turns.find((one) => one.hasBegun && (id === undefined || one.id === undefined)) ??
          this.#next(value))
    if (turn === undefined) {
      this.#tell(value)
      return
    }
    this.#drop(turn)
    if (type === 'response.steer.failed') {
      this.#fail(turn)
      return
    }
    turn.answered()
    turn.tell((call) => call.add(value))
    const used = turn.used
    if (used !== undefined && !used.isEstimated) this.#state.heard(used.usage, turn.before)
    const status = isJsonObject(value['response']) ? value['response']['status'] : undefined
    if (status === 'cancelled' || type === 'response.cancelled') turn.end({ kind: 'cancelled' })
    else if (status === 'failed' || type === 'response.failed') turn.end({ kind: 'failed', cause: FAILURE })
    else turn.end({ kind: 'complete' })
  }

  /** The upstream refuses an event, or reports a failure: of the response that was asked for by it, as far as it says which. */
  #refused(value: JsonObject): void {
    const error = isJsonObject(value['error']) ? value['error'] : value
    const of = error['event_id'] ?? value['event_id']
    const named = typeof of === 'string' ? this.#turns.find((turn) => turn.eventId === of) : undefined
    const turn = named ?? (this.#protocol === 'realtime' ? this.#meantBy(error) : (this.#next(value) ?? this.#turns[0]))
    if (turn === undefined) return
    this.#drop(turn)
    if (turn.hasBegun) turn.end({ kind: 'failed', cause: FAILURE })
    else this.#fail(turn)
  }

  /** The response that a realtime session's error is about, where it names no event: most are about none, and the session goes on. */
  #meantBy({ code, param }: JsonObject): SessionTurn | undefined {
    const isAbout = code === IS_ACTIVE || (typeof param === 'string' && /^response\b/.test(param))
    return isAbout ? this.#turns.findLast(({ hasBegun }) => !hasBegun) : undefined
  }

  /** It has not come about. */
  #fail(turn: SessionTurn): void {
    turn.refused()
    turn.end({ kind: 'failed', cause: FAILURE })
  }

  /** What an event tells of usage that ends no response: of a transcription, or of the response under way. */
  #tell(value: JsonObject): void {
    const latest = this.#turns.findLast(({ hasBegun }) => hasBegun)
    if (latest === undefined || !isJsonObject(value['response'])) this.#book(value, this.#state.transcriber)
    else latest.tell((call) => call.add(value))
  }

  #drop(turn: SessionTurn): void {
    this.#turns = this.#turns.filter((one) => one !== turn)
  }
}

function idOf({ response }: JsonObject): string | undefined {
  const id = isJsonObject(response) ? response['id'] : undefined
  return typeof id === 'string' ? id : undefined
}

/** A longer text is read only as far as it tells usage. */
const PARSED_CHARS_MAX = 256 * 1024

function eventIn(text: string): JsonObject | undefined {
  if (text.length > PARSED_CHARS_MAX) return usageInFrame(text)
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
