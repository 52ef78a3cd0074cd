import type { Exchange } from '../exchange/exchange.ts'
import type { Outcome } from '../exchange/outcome.ts'
import { createAttachment } from '../formats/attachment.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Recorder } from '../telemetry/record.ts'
import type { Arrival } from './arrival.ts'

const exchanges = createAttachment<Request, Exchange>('exchange')

/** What the log calls a request that came to no route. */
export const NO_ROUTE = 'unknown'

/** A request id that is safe to log and to echo. */
const SAFE_ID = /^[A-Za-z0-9._:-]{1,128}$/

/** What the ids of this process begin with, and what they count. */
const IDS_BEGIN = `req_${crypto.randomUUID().replaceAll('-', '').slice(0, 20)}`
let idsGiven = 0

/** An id of OpenAI's form; unique, and no secret. */
function newId(): string {
  idsGiven += 1
  return IDS_BEGIN + idsGiven.toString(16).padStart(12, '0')
}

/** One class for all: an object with functions of its own would cost four times as much, for each request. */
class OpenExchange implements Exchange {
  readonly id: string
  readonly clientRequestId: string | undefined
  readonly request: Request
  readonly received: Headers
  readonly isHttp10: boolean
  body: Exchange['body']
  readonly json = undefined
  requestTarget: string
  named: Exchange['named'] = undefined
  readonly from: string
  readonly startedAt = performance.now()
  readonly abort: AbortController
  endpointName = NO_ROUTE
  model: string | undefined = undefined
  principal: Exchange['principal'] = 'none'
  stream = false
  upstreamRequestId: string | undefined = undefined
  attempts = 0
  upstream: string | undefined = undefined
  tries: Exchange['tries'] = undefined
  connection: Exchange['connection'] = undefined
  rules: Exchange['rules'] = undefined
  params = ''
  cache: string | undefined = undefined
  idempotent: Exchange['idempotent'] = undefined
  shouldRetry: false | undefined = undefined
  isMarked = false
  total: Exchange['total'] = undefined
  timeToFirstByteMs: number | undefined = undefined
  upstreamMs: number | undefined = undefined
  status = 0
  error: ApiError | undefined = undefined
  isTapped = false
  isDelivered = false
  readonly #record: Recorder
  /** As it came: `body` may be another one by now. */
  readonly #arriving: Exchange['body']
  #releases: ((outcome: Outcome) => void)[] = []
  #hasEnded = false

  constructor(request: Request, arrival: Arrival, record: Recorder) {
    const { headers } = request
    this.id = safeId(headers.get('x-request-id')) ?? newId()
    this.clientRequestId = safeId(headers.get('x-client-request-id'))
    this.request = request
    this.received = headers
    this.isHttp10 = arrival.isHttp10
    this.body = arrival.body
    this.#arriving = arrival.body
    this.requestTarget = arrival.target
    this.from = arrival.from ?? ''
    this.abort = arrival.abort
    this.#record = record
  }

  onceArrived(callback: (at: number) => void): void {
    const body = this.#arriving
    if (body === undefined || (body.isComplete && body.onceArrived === undefined)) callback(this.startedAt)
    else if (body.onceArrived === undefined) callback(performance.now())
    else body.onceArrived(callback)
  }

  atEnd(release: (outcome: Outcome) => void): void {
    this.#releases.push(release)
  }

  end(outcome: Outcome, bytes: number): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    const blamed = outcome.kind === 'failed' ? blame(this, outcome.cause) : outcome
    for (const release of this.#releases) release(blamed)
    this.#record(this, blamed, bytes)
  }
}

/**
 * Opens the exchange of a request that has just arrived.
 *
 * @example
 * const exchange = openExchange(request, arrivalOf(request), record)
 */
export function openExchange(request: Request, arrival: Arrival, record: Recorder): Exchange {
  const exchange = new OpenExchange(request, arrival, record)
  exchanges.set(request, exchange)
  return exchange
}

/** A broken source is only the last thing seen: what broke it is the abort's reason, where there is one. */
function blame({ abort }: Exchange, seen: unknown): Outcome {
  const cause: unknown = abort.signal.aborted ? abort.signal.reason : seen
  return cause instanceof ApiError && cause.kind === 'client_closed' ? { kind: 'cancelled' } : { kind: 'failed', cause }
}

/** The exchange that a request belongs to. */
export function exchangeOf(request: Request): Exchange {
  const exchange = exchanges.get(request)
  if (exchange === undefined) throw new Error('A request reached a route without an exchange.')
  return exchange
}

function safeId(value: string | null): string | undefined {
  return value !== null && SAFE_ID.test(value) ? value : undefined
}
