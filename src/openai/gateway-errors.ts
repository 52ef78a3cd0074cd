import type { ErrorEntry } from './error-entry.ts'

/**
 * The type of an error that waiting or another try may cure: agents try again on this type, or on words like those of the messages
 * below.
 */
const SERVER = 'server_error'
/** The type of an error that only another request will cure. */
const INVALID = 'invalid_request_error'

/** The errors of an upstream, and of this server. */
export const GATEWAY_ERRORS = {
  upstream_unreachable: {
    status: 502,
    type: SERVER,
    code: 'upstream_unreachable',
    message:
      'The upstream API could not be reached, or closed the connection without a complete answer. You can retry your request.',
    fault: 'upstream',
    cure: 'Run `nexcode check`: it says what is wrong between this server and `OPENAI_API_BASE`. The log has the cause.',
  },
  upstream_invalid_response: {
    status: 502,
    type: SERVER,
    code: 'upstream_invalid_response',
    message: 'The upstream API answered with something that is not an API answer. You can retry your request.',
    fault: 'upstream',
    cure: 'Check that `OPENAI_API_BASE` is the API (ending with `/v1`), not a web page, a login form or a redirect. The log has what came.',
  },
  upstream_key_refused: {
    status: 502,
    type: 'invalid_request_error',
    code: 'upstream_key_refused',
    message:
      'The upstream API refused the key that this server speaks to it with, so your request was not made. Your own credentials are fine; the operator of this server has to put its key right.',
    fault: 'upstream',
    cure: 'Replace the key: the log has a WARN with the upstream and the name of the key (its variable, or where it stands in the file), and `nexcode check` tries each. Asking again does not help before that.',
  },
  upstream_timeout: {
    status: 504,
    type: SERVER,
    code: 'upstream_timeout',
    message: 'The upstream request timed out: the upstream API did not answer in time.',
    fault: 'upstream',
    cure: 'Raise `FIRST_BYTE_TIMEOUT_MS` or `TOTAL_TIMEOUT_MS` if the model needs longer.',
  },
  client_deadline: {
    status: 504,
    type: SERVER,
    code: 'client_deadline',
    message: 'The answer did not come within the timeout that your client has told. Raise it, or ask for less.',
    fault: 'upstream',
    cure: 'Raise the `timeout` of your SDK. The server ends a call just before its client would, so that nothing is generated for nobody; `client_deadline: false` in the configuration file switches that off.',
  },
  only_if_cached: {
    status: 504,
    type: INVALID,
    code: 'not_in_cache',
    message: 'There is no stored answer to your request, and it does not allow that the upstream API is asked.',
    fault: 'upstream',
    cure: 'Leave `Cache-Control: only-if-cached` out, or send the request once without it.',
  },
  upstream_unavailable: {
    status: 503,
    type: SERVER,
    code: 'upstream_unavailable',
    message: 'Every upstream for this request has failed lately and is left alone for a while. Please retry later.',
    fault: 'server',
    retryAfterSeconds: 1,
    cure: 'Wait as long as `Retry-After` says. `/ready` shows each target’s state to a caller with a token; `all_open: try` in the configuration file has the least bad one asked instead.',
  },
  upstream_busy: {
    status: 503,
    type: SERVER,
    code: 'upstream_busy',
    message: 'The upstream for this request has as many calls as it takes, and as many wait. Please retry shortly.',
    fault: 'server',
    retryAfterSeconds: 1,
    cure: 'Retry; the operator may raise `concurrency.max` or `concurrency.queue` of the upstream, or give the model a second target.',
  },
  queue_timeout: {
    status: 503,
    type: SERVER,
    code: 'queue_timeout',
    message: 'Your request waited for a free place at the upstream until its time was up. Please retry.',
    fault: 'server',
    retryAfterSeconds: 1,
    cure: 'Retry; the operator may raise `concurrency.max` or `concurrency.queue_timeout` of the upstream.',
  },
  overloaded: {
    status: 503,
    type: SERVER,
    code: 'overloaded',
    message: 'This server has as many requests in flight as it takes. Please retry shortly.',
    fault: 'server',
    retryAfterSeconds: 1,
    cure: 'Retry; the operator may raise `MAX_IN_FLIGHT`. One caller may hold `MAX_CALLER_SHARE` of the places while others want some, and uploads half of them.',
  },
  out_of_connections: {
    status: 503,
    type: SERVER,
    code: 'out_of_connections',
    message: 'This server can open no more connections now. Please retry shortly.',
    fault: 'server',
    retryAfterSeconds: 1,
    cure: 'Retry. The operator finds in the log what it lacks: open files (`ulimit -n`), memory, or local ports to call from; a lower `MAX_IN_FLIGHT` needs fewer.',
  },
  memory_full: {
    status: 503,
    type: SERVER,
    code: 'memory_full',
    message: 'This server holds as many bytes of requests and answers as it may. Please retry shortly.',
    fault: 'server',
    retryAfterSeconds: 1,
    cure: 'Retry; a request of up to 64 KiB is taken all the same. The operator may raise `MAX_MEMORY_BYTES`, or give the server more memory.',
  },
  draining: {
    status: 503,
    type: SERVER,
    code: 'draining',
    message: 'This server is shutting down and takes no new requests. Please retry: another one will answer.',
    fault: 'server',
    retryAfterSeconds: 1,
    cure: 'Retry; a new connection reaches the server’s successor.',
  },
  idempotency_unavailable: {
    status: 503,
    type: SERVER,
    code: 'idempotency_unavailable',
    message:
      'This server can’t find out now whether a request with this Idempotency-Key has been made: its store gives no answer. Yours was not sent. Please retry.',
    fault: 'server',
    retryAfterSeconds: 1,
    cure: 'Retry. The operator finds the cause in the log, and sees to the store that `cache.store` names. A request without an `Idempotency-Key` needs no store.',
  },
  idempotency_under_way: {
    status: 503,
    type: SERVER,
    code: 'idempotency_under_way',
    message:
      'A request with this Idempotency-Key is under way at another process of this server, or has just failed there. Please retry: you get its answer then, or it is made anew.',
    fault: 'server',
    retryAfterSeconds: 1,
    cure: 'Retry with the same `Idempotency-Key`.',
  },
  idempotency_full: {
    status: 503,
    type: SERVER,
    code: 'idempotency_full',
    message:
      'You have used more Idempotency-Keys lately than this server remembers for one caller. Your request was not sent. Please retry later, or send it without a key.',
    fault: 'server',
    retryAfterSeconds: 60,
    cure: 'Wait until earlier keys have run out, or send the request without one. The operator may raise `cache.max_bytes`, or lower `IDEMPOTENCY_WINDOW_MS`.',
  },
  loop_detected: {
    status: 508,
    type: 'invalid_request_error',
    code: 'loop_detected',
    message:
      'This server is called by itself, perhaps through others: an upstream of it leads back here. Its operator has to correct that.',
    fault: 'server',
    cure: 'Have the base URL of no upstream lead back to this server: follow `OPENAI_API_BASE` (or `OPENAI_BASE_URL`, which is what clients set) and each `base_url` through the gateways and load balancers that they name.',
  },
  extension_failed: {
    status: 500,
    type: SERVER,
    code: 'extension_failed',
    message:
      'An extension of this server had an internal error processing your request. The log of the server has its cause under the request id.',
    fault: 'server',
    cure: 'The log has the extension’s name and what it threw under the request id. `on_error: skip` has requests go on without an extension that fails.',
  },
  internal_error: {
    status: 500,
    type: SERVER,
    code: 'internal_error',
    message:
      'NexCode had an internal error processing your request. The log of the server has its cause under the request id.',
    fault: 'server',
    cure: 'A defect of NexCode: please report it with the log line of that request id.',
  },
} as const satisfies Record<string, ErrorEntry>
