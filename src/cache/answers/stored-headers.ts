import { HOP_BY_HOP } from '../../formats/http/hop-by-hop.ts'

/** Headers that belong to one exchange, one client or one moment. */
const OF_ONE_EXCHANGE: ReadonlySet<string> = new Set([
  ...[
    'age',
    'alt-svc',
    'cache-status',
    'date',
    'nel',
    'report-to',
    'retry-after',
    'server-timing',
    'set-cookie',
    'via',
  ],
  ...['x-cache', 'x-client-request-id', 'x-runtime', 'x-should-retry', 'x-served-by', 'x-timer'],
  ...['traceparent', 'tracestate'],
])
const OF_ONE_EXCHANGE_BEGIN = /^(?:access-control-|cf-|x-nexcode-|x-envoy-|x-amzn-trace|x-b3-)/
const OF_ONE_EXCHANGE_PART = /request-?id|correlation-?id|trace-?id|rate-?limit|processing-ms|response-time/

/**
 * Gives the headers that are stored with an answer: those that describe the answer, such as its type, its coding and `openai-version`, and
 * none of the exchange that it came in.
 *
 * @example
 * const answer = { status: 200, headers: storedHeaders(response.headers), … }
 */
export function storedHeaders(headers: Headers): [name: string, value: string][] {
  return [...headers].filter(([name]) => !isOfOneExchange(name))
}

function isOfOneExchange(name: string): boolean {
  return (
    OF_ONE_EXCHANGE.has(name) ||
    HOP_BY_HOP.has(name) ||
    OF_ONE_EXCHANGE_BEGIN.test(name) ||
    OF_ONE_EXCHANGE_PART.test(name)
  )
}
