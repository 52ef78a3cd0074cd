import type { Exchange } from '../exchange.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Outcome } from '../stream/outcome.ts'
import type { Recorder } from '../telemetry/record.ts'
import { arrivalOf } from './arrival.ts'

const exchanges = new WeakMap<Request, Exchange>()

/** A request id that is safe to log and to echo. */
const SAFE_ID = /^[A-Za-z0-9._:-]{1,128}$/

/**
 * Opens the exchange of a request that has just arrived.
 *
 * @example
 * const exchange = openExchange(request, record)
 */
export function openExchange(request: Request, record: Recorder): Exchange {
  const { target, abort } = arrivalOf(request)
  const atEnd: (() => void)[] = []
  let hasEnded = false
  const exchange: Exchange = {
    id: safeId(request.headers.get('x-request-id')) ?? `req_${crypto.randomUUID().replaceAll('-', '')}`,
    clientRequestId: safeId(request.headers.get('x-client-request-id')),
    request,
    target,
    startedAt: performance.now(),
    abort,
    atEnd,
    route: 'unknown',
    model: undefined,
    principal: 'none',
    stream: false,
    upstreamRequestId: undefined,
    attempts: 0,
    timeToFirstByteMs: undefined,
    upstreamMs: undefined,
    status: 0,
    error: undefined,
    isTapped: false,
    end(outcome, bytes) {
      if (hasEnded) return
      hasEnded = true
      for (const callback of atEnd) callback()
      record(exchange, outcome.kind === 'failed' ? blame(exchange, outcome.cause) : outcome, bytes)
    },
  }
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
