import type { JsonObject } from '../formats/json/json.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import type { ApiError } from '../openai/api-error.ts'
import type { JsonEndpoint } from '../openai/endpoints.ts'
import type { NamedModel } from '../openai/read-target.ts'
import type { UsageTally } from '../openai/usage/usage-tally.ts'
import type { Deadline } from '../timing/deadlines.ts'
import type { Arrival, BodilessRequest, HeadKind, IncomingBody } from './arrival.ts'
import { Findings, inherit, merge, type Try } from './findings.ts'
import { blame, type Outcome } from './outcome.ts'
import { entryOf, type Principal, principalName } from './principal.ts'
import { addSpending, type Spending } from './spending.ts'

/** The parts that a child of an exchange may have of its own. */
export type ChildParts = Partial<
  Pick<Exchange, 'request' | 'requestTarget' | 'endpoint' | 'body' | 'json' | 'abort' | 'startedAt'>
>

/** Hears of an exchange while it goes on; for the log, metrics, traces, money. None of its functions may throw, or wait. */
export interface Observer {
  /** A request has come; its caller is not known yet. */
  readonly onStart?: (exchange: Exchange) => void
  /** An attempt at an upstream has an answer, or has failed. */
  readonly onAttempt?: (exchange: Exchange, attempt: Try) => void
  /** The first byte of an upstream's body has come. */
  readonly onFirstByte?: (exchange: Exchange) => void
  /** The answer tells the tokens used, as its API writes them (OpenAI specification, `usage`). */
  readonly onUsage?: (exchange: Exchange, usage: JsonObject) => void
  /** The exchange has ended, after so many bytes of its answer's body; called once. */
  readonly onEnd?: (exchange: Exchange, outcome: Outcome, bytes: number) => void
}

/** The endpoint's name of a request that came to no route. */
export const NO_ENDPOINT_NAME = 'unknown'

/** The principal before `authorize`. */
const NOBODY_YET: Principal = Object.freeze({
  get kind(): never {
    throw new Error('The principal of an exchange was asked for before it was known.')
  },
})

const NO_PARTS: ChildParts = Object.freeze({})

/** A request id that is safe to log and to echo. */
const SAFE_ID = /^[A-Za-z0-9._:-]{1,128}$/

/** The prefix of this process's ids; a counter follows it. */
const IDS_BEGIN = `req_${crypto.randomUUID().replaceAll('-', '').slice(0, 20)}`
let idsGiven = 0

/**
 * One request and its answer, from the first header to the body's last byte: the state that all stages share. It ends once.
 *
 * @example
 * const exchange = new Exchange(request, arrivalOf(request), observers)
 */
export class Exchange extends Findings {
  /** Ours, or the caller's own `x-request-id` where that is a safe one. */
  readonly id: string
  /** The caller's `X-Client-Request-Id`, where it is a safe one. */
  readonly clientRequestId: string | undefined
  /** Its headers, method and URL; its body is in `body`. */
  readonly request: BodilessRequest
  /** The headers as they came: an extension may have made another request of it. */
  readonly received: Headers
  /** Whether it came by HTTP/1.0, from the client or a proxy in front. */
  readonly isHttp10: boolean
  /** Absent where the request has none; another one where it has been read and is to be read again. */
  body: IncomingBody | undefined
  /** The body as it has been parsed already. */
  readonly json: JsonBody | undefined
  /**
   * The request target exactly as it came: path and query (RFC 9112 §3.2.1). Where its path names a model, and rules or models
   * decide: as all others write the same call.
   */
  requestTarget: string
  /** The model that the target names, where that decides. */
  named: NamedModel | undefined = undefined
  /** The endpoint, where its body is read and checked; undefined: all passes through, unless a rule or a model has a say. */
  endpoint: JsonEndpoint | undefined = undefined
  /** The endpoint's name from our own route table, never the caller's path: safe as a label. The log's `route`. */
  endpointName = NO_ENDPOINT_NAME
  /** Whether it asks for another protocol on its connection (RFC 9110 §7.8). */
  isUpgrade = false
  /** The caller, known once `authorize` has let it in. Nothing before that may read it. */
  principal: Principal = NOBODY_YET
  /** Finds its caller anew, for what goes on for hours; throws where it may call no more. undefined: nothing goes on so long. */
  findCaller: (() => Principal) | undefined = undefined
  /** The limit on the whole exchange. */
  total: Deadline | undefined = undefined
  /** The owner of the connection that it came by; for counting, and never logged. */
  readonly from: string
  /** `performance.now()` at arrival. */
  readonly startedAt: number
  /** Aborted when the client leaves or one of our clocks runs out; its reason says which. */
  readonly abort: AbortController
  /** Whether it may be going round, so that its calls are marked (`upstream/loop-guard.ts`). */
  isMarked = false
  /** Whether a stage reads the answer's bytes, so that they must not be encoded. */
  readsAnswer = false
  /** Has a stage see the answer before it is delivered; `isUpstreams`: it comes from an upstream now. undefined: no stage wants to. */
  onAnswer: ((answer: Response, isUpstreams: boolean) => Response) | undefined = undefined
  /** Whether a stage has a say in the calls that are made, so that none may pass unseen on a WebSocket. */
  seesCalls = false
  /** A stage's reason against opening a WebSocket, whatever else is right; undefined: none. */
  relayRefusal: ApiError | undefined = undefined
  /** Gathers the usage that this exchange's own answer tells; a child has its own. undefined: nobody asks for it. */
  tally: UsageTally | undefined = undefined
  /** How it ended; undefined: it has not. */
  outcome: Outcome | undefined = undefined
  /** Whether an observer hears of attempts, and of the tokens that answers tell. */
  readonly hasAttemptObserver: boolean
  readonly hasUsageObserver: boolean
  readonly #observer: Observer
  readonly #parent: Exchange | undefined
  /** As it came: `body` may be another one by now. */
  readonly #arriving: IncomingBody | undefined
  #releases: ((outcome: Outcome) => void)[] = []

  /** Opens the exchange of a request that has just arrived; with `parent`, a part of another one. */
  constructor(
    request: BodilessRequest,
    arrival: Arrival,
    observer: Observer,
    parent?: Exchange,
    { json, startedAt = parent?.startedAt ?? performance.now() }: Pick<ChildParts, 'json' | 'startedAt'> = NO_PARTS,
  ) {
    super()
    const { headers } = request
    this.id = parent === undefined ? (safeRequestId(headers.get('x-request-id')) ?? newRequestId()) : parent.id
    this.clientRequestId =
      parent === undefined ? safeRequestId(headers.get('x-client-request-id')) : parent.clientRequestId
    this.request = request
    this.received = parent === undefined ? headers : parent.received
    this.isHttp10 = arrival.isHttp10
    this.body = arrival.body
    this.json = json
    this.#arriving = parent === undefined ? arrival.body : parent.#arriving
    this.requestTarget = arrival.target
    this.from = arrival.from ?? ''
    this.startedAt = startedAt
    this.abort = arrival.abort
    this.#observer = observer
    this.hasAttemptObserver = observer.onAttempt !== undefined
    this.hasUsageObserver = observer.onUsage !== undefined
    this.#parent = parent
    if (parent === undefined) observer.onStart?.(this)
  }

  /** Lets the exchange in: says who is calling. */
  identify(principal: Principal): void {
    this.principal = principal
    this.principalName = principalName(principal)
    const entry = entryOf(principal)
    this.key = entry?.id
    this.project = entry?.project?.id
  }

  /** The kind of its head; undefined: it was like none before, or this is a part of another exchange, which may have other parts than its request. */
  get headKind(): HeadKind | undefined {
    return this.#parent === undefined ? this.request.headKind : undefined
  }

  /** Whether a limit on the whole runs, of its own or of its parent. */
  get hasTotal(): boolean {
    return this.total !== undefined || this.#parent?.hasTotal === true
  }

  /** Gives the whole exchange another limit. A child's own takes the place of its parent's, which runs no more then. */
  limitTotal(deadline: Deadline | undefined): void {
    this.#parent?.limitTotal(undefined)
    this.total?.clear()
    this.total = deadline
  }

  /**
   * Makes a part of this exchange that ends by itself: a call that is made for it, and perhaps for others, too, or several times.
   *
   * Its `atEnd` functions run at its own end. It writes no line of the log. `report` merges its findings into its parent's.
   *
   * @example
   * const child = exchange.child({ abort: new AbortController() })
   * const answered = await ask(child)
   * child.report()
   */
  child(parts: ChildParts): Exchange {
    const { isHttp10, from } = this
    const hasBody = 'body' in parts
    const target = parts.requestTarget ?? this.requestTarget
    const body = hasBody ? parts.body : this.body
    const arrival = { target, isHttp10, from, abort: parts.abort ?? this.abort, body }
    const json = hasBody ? parts.json : this.json
    const child = new Exchange(parts.request ?? this.request, arrival, this.#observer, this, {
      json,
      startedAt: parts.startedAt ?? this.startedAt,
    })
    child.named = parts.requestTarget === undefined ? this.named : undefined
    child.endpoint = 'endpoint' in parts ? parts.endpoint : this.endpoint
    child.endpointName = this.endpointName
    child.isMarked = this.isMarked
    child.readsAnswer = this.readsAnswer
    child.principal = this.principal
    inherit(child, this)
    return child
  }

  /** Merges the findings so far into the parent's. */
  report(): void {
    if (this.#parent !== undefined) merge(this.#parent, this)
  }

  /** Calls back when the client has sent all of its request, with the time of that in `performance.now()`; never where it doesn't. */
  onceArrived(callback: (at: number) => void): void {
    const body = this.#arriving
    if (body === undefined || (body.isComplete && body.onceArrived === undefined)) callback(this.startedAt)
    else if (body.onceArrived === undefined) callback(performance.now())
    else body.onceArrived(callback)
  }

  /** Notes an attempt at an upstream that has an answer, or has failed. */
  onAttempt(attempt: Try): void {
    this.tries?.push(attempt)
    this.#observer.onAttempt?.(this.#root, attempt)
  }

  /** Notes the first byte of the upstream's body, which came so long after the request. */
  onFirstByte(ms = performance.now() - this.startedAt): void {
    this.timeToFirstByteMs = ms
    this.#observer.onFirstByte?.(this.#root)
  }

  /** Notes the tokens that the answer says it has used. */
  onUsage(usage: JsonObject): void {
    this.#observer.onUsage?.(this.#root, usage)
  }

  /** Notes what a call for it has used and cost; also for the exchange that it is a part of. */
  onSpent(spending: Spending): void {
    this.spending = addSpending(this.spending, spending)
    this.#parent?.onSpent(spending)
  }

  /** Registers a function that runs at the end, to release an admission or a clock. It gets the exchange's outcome. */
  atEnd(release: (outcome: Outcome) => void): void {
    this.#releases.push(release)
  }

  /** Ends the exchange: the first call counts. `bytes`: of the answer's body. */
  end(outcome: Outcome, bytes = 0): void {
    if (this.outcome !== undefined) return
    this.outcome = outcome.kind === 'failed' ? blame(this.abort.signal, outcome.cause) : outcome
    for (const release of this.#releases) release(this.outcome)
    if (this.#parent === undefined) this.#observer.onEnd?.(this, this.outcome, bytes)
  }

  /** The exchange that observers know. */
  get #root(): Exchange {
    return this.#parent === undefined ? this : this.#parent.#root
  }
}

/** An id that came in a header, where it is safe; undefined: it is not. */
function safeRequestId(value: string | null): string | undefined {
  return value !== null && SAFE_ID.test(value) ? value : undefined
}

/** Makes an id of OpenAI's form (`req_…`); unique, and no secret. */
function newRequestId(): string {
  idsGiven += 1
  return IDS_BEGIN + idsGiven.toString(16).padStart(12, '0')
}
