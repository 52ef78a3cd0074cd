import { spendsOwnKey } from '../access/credentials.ts'
import type { Settings } from '../config/settings.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Handler, Stage } from '../exchange/stage.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { holdsContent } from '../openai/resources.ts'
import type { ExchangeLimits, TimeLimits } from '../routing/attempts/limit-time.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { Account } from '../routing/targets/call-report.ts'
import type { Deployment, Route } from '../routing/targets/router.ts'
import type { Store } from '../storage/store.ts'
import type { OutgoingBody } from './outgoing-body.ts'
import type { Compared } from './pass-body.ts'

/** The answer to a request may name objects that have to be remembered; these ids are named by the request itself. */
export type NamedObjects = ReadonlySet<string>

/** What is known of a request when it may be asked for. */
interface Prepared {
  readonly exchange: Exchange
  readonly outgoing: OutgoingBody
  readonly route: Route
  /** What its answer may name; undefined: nothing that has to be remembered. */
  readonly objects: NamedObjects | undefined
  readonly snapshot: Snapshot & { readonly sharedStore: Store | undefined }
  /** undefined: those of the environment alone. */
  readonly limits: ExchangeLimits | undefined
  readonly timeouts: TimeLimits
}

/** A request that is ready to go upstream, and where its answer came from once there is one. */
export class PreparedRequest implements Prepared {
  readonly exchange: Exchange
  readonly outgoing: OutgoingBody
  readonly route: Route
  readonly objects: NamedObjects | undefined
  readonly snapshot: Prepared['snapshot']
  readonly limits: ExchangeLimits | undefined
  readonly timeouts: TimeLimits
  /** Whether the answer may have to give the caller's name for the model, so that it has to be readable (`report_model: alias`). */
  readonly isRenamed: boolean
  /** Its caller relies on it that it is made once: nothing follows, or goes beside, an attempt that may be billed. */
  isOnce = false
  /** The deployment that gave the answer; undefined: no upstream was asked for it. */
  deployment: Deployment | undefined = undefined
  /** Whether the answer's silence is watched already, for all who read it: who waits for a slower one of them waits for no upstream. */
  isWatched = false
  /** Has the headers that the caller gets say where the answer came from; undefined: they say nothing of it. */
  mark: ((headers: Headers) => void) | undefined = undefined

  constructor({ exchange, outgoing, route, objects, snapshot, limits, timeouts }: Prepared) {
    this.exchange = exchange
    this.outgoing = outgoing
    this.route = route
    this.objects = objects
    this.snapshot = snapshot
    this.limits = limits
    this.timeouts = timeouts
    this.isRenamed =
      outgoing.model === undefined ? mayNameModel(exchange, snapshot) : route.model?.reportModel === 'alias'
  }

  /** The settings in force when it came. */
  get settings(): Settings {
    return this.snapshot.settings
  }

  /** The same request for a child of its exchange. */
  child(exchange: Exchange): PreparedRequest {
    const child = new PreparedRequest({ ...this, exchange })
    child.isOnce = this.isOnce
    return child
  }

  /** On whose account a deployment is asked. */
  accountOf(deployment: Deployment): Account {
    return spendsOwnKey(this.exchange.principal, deployment.upstream) ? 'caller' : 'server'
  }

  /** The limits of a call to a deployment, in ms. `firstByteMs` undefined: as for everybody; `streamIdleMs` 0: no limit. */
  callLimits({ upstream }: Deployment): { readonly firstByteMs: number | undefined; readonly streamIdleMs: number } {
    const [own, theirs] = [this.route.resilience.timeouts, upstream.timeouts]
    return {
      firstByteMs: own.firstByteMs ?? theirs.firstByteMs,
      streamIdleMs: own.streamIdleMs ?? theirs.streamIdleMs ?? this.timeouts.streamIdleMs,
    }
  }

  /** Between two chunks of a deployment's answer, in ms; 0: no limit. */
  streamIdleMsOf(deployment: Deployment): number {
    const { streamIdleMs } = this.route.resilience.timeouts
    return streamIdleMs ?? deployment.upstream.timeouts.streamIdleMs ?? this.timeouts.streamIdleMs
  }

  /** From the request's arrival to the last byte of a deployment's answer, in ms; 0: no limit. */
  totalMsOf(deployment: Deployment): number {
    const { totalMs } = this.route.resilience.timeouts
    return totalMs ?? deployment.upstream.timeouts.totalMs ?? this.timeouts.totalMs
  }
}

/** An object that was made before, such as a response, was made under a name that leads to its model. */
function mayNameModel(exchange: Exchange, { aliasOf }: Snapshot): boolean {
  if (aliasOf === undefined) return false
  const endpoint = endpointOf(exchange.requestTarget)
  return !holdsContent(endpoint) && endpoint.split('/', 1)[0] !== 'models'
}

/** Asks for an answer. */
export type Ask = Handler<PreparedRequest>

/** A stage around the asking: of requests that are ready to go upstream. */
export interface AskStage extends Stage<PreparedRequest> {
  /** How much of a request's body has to be read for this stage; undefined: it has nothing to do with the request. */
  comparesBody(exchange: Exchange): Compared | undefined
}
