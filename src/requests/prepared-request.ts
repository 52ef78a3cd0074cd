import type { Settings } from '../config/settings.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Handler, Stage } from '../exchange/stage.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { holdsContent } from '../openai/resources.ts'
import type { HeardInSession } from '../pricing/planned-call.ts'
import { type ExchangeClocks, ownLimit, type TimeLimits } from '../routing/attempts/exchange-clocks.ts'
import type { SendWatch } from '../routing/attempts/sent-call.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { Deployment } from '../routing/targets/deployment.ts'
import type { Route } from '../routing/targets/router.ts'
import type { Store } from '../storage/store.ts'
import type { AskedUsage } from './asking-usage.ts'
import type { OutgoingBody } from './outgoing-body.ts'
import type { Compared } from './pass-body.ts'

/** The ids that a request names itself, where its answer may name objects that have to be remembered. */
export type NamedObjects = ReadonlySet<string>

/** A request that is read, checked and routed. */
interface Prepared {
  readonly exchange: Exchange
  readonly outgoing: OutgoingBody
  readonly route: Route
  /** undefined: the answer names no objects that have to be remembered. */
  readonly objects: NamedObjects | undefined
  readonly snapshot: Snapshot & { readonly sharedStore: Store | undefined }
  /** undefined: only the limits of the environment hold. */
  readonly clocks: ExchangeClocks | undefined
  readonly timeouts: TimeLimits
}

/** A request that is ready to go upstream. Once it has an answer, it tells where the answer came from. */
export class PreparedRequest implements Prepared {
  readonly exchange: Exchange
  readonly outgoing: OutgoingBody
  readonly route: Route
  readonly objects: NamedObjects | undefined
  readonly snapshot: Prepared['snapshot']
  readonly clocks: ExchangeClocks | undefined
  readonly timeouts: TimeLimits
  /** Whether the answer may have to give the caller's name for the model (`report_model: alias`). Such an answer has to be readable. */
  readonly isRenamed: boolean
  /** Whether it goes by its `Idempotency-Key`: no attempt follows, or runs beside, an attempt that may be billed. */
  hasIdempotencyKey = false
  /** The deployment that gave the answer; undefined: no upstream was asked for it. */
  deployment: Deployment | undefined = undefined
  /**
   * Whether the answer's silence is watched for all of its readers: a reader that waits for a slower one does not wait for the upstream.
   */
  isWatched = false
  /** Writes into the caller's headers where the answer came from; undefined: the headers don't tell it. */
  mark: ((headers: Headers) => void) | undefined = undefined
  /** Counts each call that is sent for it; undefined: nobody does. */
  sendWatch: SendWatch | undefined = undefined
  /** What its realtime session has heard so far; undefined: it is of none. */
  heard: HeardInSession | undefined = undefined
  /** The body that also asks for the usage of its stream; undefined: nobody needs that, or its caller asks for it. */
  askedUsage: AskedUsage | undefined = undefined

  constructor({ exchange, outgoing, route, objects, snapshot, clocks, timeouts }: Prepared) {
    this.exchange = exchange
    this.outgoing = outgoing
    this.route = route
    this.objects = objects
    this.snapshot = snapshot
    this.clocks = clocks
    this.timeouts = timeouts
    this.isRenamed =
      outgoing.model === undefined ? mayNameModel(exchange, snapshot) : route.model?.reportModel === 'alias'
  }

  /** The settings in force that the request goes by. */
  get settings(): Settings {
    return this.snapshot.settings
  }

  /** Makes the same request for a child of its exchange. */
  child(exchange: Exchange): PreparedRequest {
    const child = new PreparedRequest({ ...this, exchange })
    child.hasIdempotencyKey = this.hasIdempotencyKey
    child.askedUsage = this.askedUsage
    return child
  }

  /** Whether a deployment is to be asked for the usage of a stream: it can be, and does not tell it anyway. */
  asksUsage({ upstream: { streamUsage } }: Deployment): boolean {
    return streamUsage === 'asked' || streamUsage === 'unknown'
  }

  /** The body as it goes to a deployment. */
  outgoingFor(deployment: Deployment): OutgoingBody {
    return this.askedUsage !== undefined && this.asksUsage(deployment) ? this.askedUsage.outgoing : this.outgoing
  }

  /** The limits of a call to a deployment, in ms. `firstByteMs` undefined: the limit of the environment; `streamIdleMs` 0: no limit. */
  callLimits({ upstream }: Deployment): { readonly firstByteMs: number | undefined; readonly streamIdleMs: number } {
    const [own, theirs] = [this.route.resilience.timeouts, upstream.timeouts]
    return {
      firstByteMs: own.firstByteMs ?? theirs.firstByteMs,
      streamIdleMs: own.streamIdleMs ?? theirs.streamIdleMs ?? this.timeouts.streamIdleMs,
    }
  }

  /** The limit between two chunks of a deployment's answer, in ms; 0: no limit. */
  streamIdleMsOf(deployment: Deployment): number {
    return this.callLimits(deployment).streamIdleMs
  }

  /** The limit from the request's arrival to the last byte of a deployment's answer, in ms; 0: no limit. */
  totalMsOf(deployment: Deployment): number {
    return ownLimit('totalMs', this.route, deployment) ?? this.timeouts.totalMs
  }
}

/** Whether the answer to a request without a model may name one: an object that was made before, such as a response, names its model. */
function mayNameModel(exchange: Exchange, { aliasOf }: Snapshot): boolean {
  if (aliasOf === undefined) return false
  const endpoint = endpointOf(exchange.requestTarget)
  return !holdsContent(endpoint) && endpoint.split('/', 1)[0] !== 'models'
}

/** Asks for the answer to a request that is ready to go upstream. */
export type Ask = Handler<PreparedRequest>

/** A stage around `Ask`: it gets requests that are ready to go upstream. */
export interface AskStage extends Stage<PreparedRequest> {
  /**
   * Tells how much of a request's body has to be read for this stage; undefined: the stage has nothing to do with the request. Where all
   * stages say so, none is run; else each is, and looks again.
   */
  bodyNeeded(exchange: Exchange): Compared | undefined
  /**
   * Answers a request that repeats an earlier one byte for byte, before its body is read; undefined: it goes the whole way. Absent: each
   * does.
   */
  readonly recall?: Recall
}

/** An answer to a request that was neither read nor routed. */
export interface Recalled {
  readonly answer: Response
  /** Writes into the caller's headers, and into the log, where the answer came from. */
  readonly mark: (headers: Headers) => void
}

/** Looks for an answer to a request that repeats an earlier one. */
export type Recall = (exchange: Exchange) => Recalled | undefined | Promise<Recalled | undefined>
