import type { Exchange } from '../../exchange/exchange.ts'
import type { JsonObject } from '../../formats/json/json.ts'
import type { PreparedRequest } from '../../requests/prepared-request.ts'
import type { TimeLimits } from '../../routing/attempts/exchange-clocks.ts'
import type { Deployment } from '../../routing/targets/deployment.ts'
import type { Route } from '../../routing/targets/router.ts'
import type { CallerLimits } from '../caller-limits.ts'
import type { MeteredCall } from '../metered-call.ts'
import type { NamedCall } from '../permissions.ts'
import type { SessionProtocol } from './session-events.ts'

/** What a session asks of metering, for each response as for a POST. */
export interface SessionDeps {
  /** The limits of a response's caller; undefined: the money is not this server's. */
  readonly limitsOf: (exchange: Exchange) => CallerLimits | undefined
  /** `isAhead`: it may never be made, and takes no place among the calls under way. */
  readonly enter: (exchange: Exchange, named: NamedCall, isAhead: boolean) => void | Promise<void>
  /** Begins to count a call, and gives the function that asks for what it needs. */
  readonly meter: (request: PreparedRequest) => { readonly call: MeteredCall; readonly reserve: () => Promise<void> }
  /** Books what an upstream's message tells of no response: a transcription, as a rule, by such a model. */
  readonly book: (value: JsonObject, transcriber: string | undefined) => void
}

/** A session that is about to be opened on a WebSocket. */
export interface SessionOpening {
  /** That of the upgrade. */
  readonly exchange: Exchange
  readonly protocol: SessionProtocol
  readonly deployment: Deployment
  readonly route: Route
  /** As the caller names it in the URL; undefined: each response names its own. */
  readonly model: string | undefined
  /** The settings as they hold for a caller. */
  readonly settingsFor: (limits: CallerLimits | undefined) => PreparedRequest['snapshot']
  readonly timeouts: TimeLimits
}

/** What is done about a message that may not pass, or about a response that may not go on. */
export interface SessionVerdict {
  /** An event for the client; undefined: none. */
  readonly reply: string | undefined
  /** Why the session ends with it; undefined: it goes on. */
  readonly closing: string | undefined
}

/** A WebSocket whose responses are under the limits of its caller, each as if it had been asked for by a POST, and are booked. */
export interface MeteredSession {
  /** Judges a message of the client. undefined: it may pass. Never throws or rejects. */
  readonly judge: (
    payload: Uint8Array<ArrayBuffer>,
    isText: boolean,
  ) => SessionVerdict | undefined | Promise<SessionVerdict | undefined>
  /** Hears a message of the upstream; a promise where that was a response that nobody has asked for: whether it may go on. Never throws or rejects. */
  readonly hear: (text: string) => Promise<SessionVerdict | undefined> | undefined
}
