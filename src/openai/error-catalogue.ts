/** Whose fault an error is: it decides the log level and the metric label, never the wire shape. */
export type Fault = 'caller' | 'upstream' | 'server'

/** One row of the catalogue: what goes over the wire, whose fault it is, and what a person can do. */
export interface ErrorEntry {
  readonly status: number
  /** OpenAI's `type`; never null, because openai-java throws on a null. */
  readonly type: string
  readonly code: string | null
  /** The default message; a thrower may put a more exact one in its place. */
  readonly message: string
  readonly fault: Fault
  /** Seconds for `Retry-After`, where waiting helps. */
  readonly retryAfterSeconds?: number
  /** What to do about it, for docs/errors.md. */
  readonly cure: string
}

const INVALID = 'invalid_request_error'
const SERVER = 'server_error'

/**
 * Every error that NexCode itself answers with. Rows with OpenAI's wording are OpenAI's own bodies;
 * the others are ours in the same shape, and their `code` says whose fault it was.
 */
export const ERROR_CATALOGUE = {
  missing_api_key: {
    status: 401,
    type: INVALID,
    code: null,
    message:
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the API from your browser and are prompted for a username and password. You can obtain an API key from https://platform.openai.com/account/api-keys.",
    fault: 'caller',
    cure: 'Send `Authorization: Bearer …`: your OpenAI key, or this server’s API token where `REQUIRE_AUTH` is on.',
  },
  incorrect_api_key: {
    status: 401,
    type: INVALID,
    code: 'invalid_api_key',
    message: 'Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.',
    fault: 'caller',
    cure: 'This server wants one of its own tokens (`API_TOKEN`), not an OpenAI key. Ask its operator.',
  },
  invalid_json: {
    status: 400,
    type: INVALID,
    code: null,
    message:
      "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)",
    fault: 'caller',
    cure: 'Send one JSON object in UTF-8.',
  },
  unsupported_content_type: {
    status: 400,
    type: INVALID,
    code: 'unsupported_content_type',
    message:
      "Unsupported content type. This API method only accepts 'application/json' requests. Please try again with a supported content type.",
    fault: 'caller',
    cure: 'Send `Content-Type: application/json` with a JSON body.',
  },
  unsupported_content_encoding: {
    status: 400,
    type: INVALID,
    code: 'unsupported_content_encoding',
    message: 'The Content-Encoding of your request could not be decoded. Send the body as plain JSON.',
    fault: 'caller',
    cure: 'Send the body without `Content-Encoding`, or with gzip, deflate, br or zstd.',
  },
  invalid_parameter: {
    status: 400,
    type: INVALID,
    code: null,
    message: 'A parameter of your request is not valid.',
    fault: 'caller',
    cure: '`param` names the field, the message says what was expected. `code` is `missing_required_parameter`, `empty_array` or `invalid_type`.',
  },
  parameter_not_allowed: {
    status: 400,
    type: INVALID,
    code: 'parameter_not_allowed',
    message: 'A parameter of your request is not allowed by this server.',
    fault: 'caller',
    cure: 'Leave the parameter that `param` names out, or give it a value that the message lists: this server’s operator has decided so (`params` in the configuration file).',
  },
  rules_not_applicable: {
    status: 400,
    type: INVALID,
    code: 'rules_not_applicable',
    message: 'This server has rules for the parameters of this request, and they cannot be applied to its body.',
    fault: 'caller',
    cure: 'Send the parameters as one JSON object, each once. The operator may narrow the rule with `match.endpoint`, so that it leaves this kind of request alone.',
  },
  model_not_found: {
    status: 404,
    type: INVALID,
    code: 'model_not_found',
    message: 'The model does not exist or you do not have access to it.',
    fault: 'caller',
    cure: 'Use a name that `GET /v1/models` lists; the operator decides on them (`models` and `unknown_models` in the configuration file).',
  },
  unknown_url: {
    status: 404,
    type: INVALID,
    code: 'unknown_url',
    message:
      'Unknown request URL. Please check the URL for typos, or see the docs at https://platform.openai.com/docs/api-reference/.',
    fault: 'caller',
    cure: 'The base URL of this server ends with `/v1`.',
  },
  method_not_allowed: {
    status: 405,
    type: INVALID,
    code: 'method_not_supported',
    message: 'Not allowed to use this method here. (HINT: Perhaps you meant to use a different HTTP method?)',
    fault: 'caller',
    cure: 'Use a method of the API reference. CONNECT, TRACE and unknown methods are never served.',
  },
  invalid_host: {
    status: 400,
    type: INVALID,
    code: 'invalid_host',
    message:
      'The Host header of your request is missing, repeated or malformed. Send exactly one, as host or host:port.',
    fault: 'caller',
    cure: 'Send exactly one `Host: name[:port]`.',
  },
  invalid_target: {
    status: 400,
    type: INVALID,
    code: 'invalid_target',
    message:
      'The request target is not acceptable. Send a plain absolute path: no dot segments, no backslashes, no `//` at its start, no full URL, no fragment.',
    fault: 'caller',
    cure: 'Send the path as the API reference spells it.',
  },
  invalid_header: {
    status: 400,
    type: INVALID,
    code: 'invalid_header',
    message: 'A header of your request has a control character in its value.',
    fault: 'caller',
    cure: 'Check the header values for stray control characters (0x7F among them).',
  },
  malformed_request: {
    status: 400,
    type: INVALID,
    code: 'malformed_request',
    message: 'The request is not well-formed HTTP/1.1.',
    fault: 'caller',
    cure: 'Use a standard HTTP client; a proxy in between may have damaged the request.',
  },
  headers_too_large: {
    status: 431,
    type: INVALID,
    code: 'headers_too_large',
    message: 'The headers of your request are too large.',
    fault: 'caller',
    cure: 'Send less than 16 KiB of headers.',
  },
  request_too_large: {
    status: 413,
    type: INVALID,
    code: 'request_too_large',
    message: 'The body of your request is larger than this server accepts.',
    fault: 'caller',
    cure: 'Send less, or raise `MAX_JSON_BYTES` (bodies that are read) or `MAX_UPLOAD_BYTES` (bodies that are streamed through).',
  },
  upload_timeout: {
    status: 408,
    type: INVALID,
    code: 'upload_timeout',
    message: 'The body of your request stopped arriving before it was complete.',
    fault: 'caller',
    cure: 'Check the network between you and this server, or raise `UPLOAD_IDLE_TIMEOUT_MS`.',
  },
  client_closed: {
    status: 499,
    type: INVALID,
    code: 'client_closed',
    message: 'The client closed the connection before the answer was complete.',
    fault: 'caller',
    cure: 'Only ever seen in the log: nobody is left to read it.',
  },
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
    message: 'The upstream API answered with something that is not an API answer.',
    fault: 'upstream',
    cure: 'Check that `OPENAI_API_BASE` is the API (ending with `/v1`), not a web page, a login form or a redirect. The log has what came.',
  },
  upstream_timeout: {
    status: 504,
    type: SERVER,
    code: 'upstream_timeout',
    message: 'The upstream API did not answer in time.',
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
    cure: 'Retry; the operator may raise `MAX_IN_FLIGHT`.',
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
  internal_error: {
    status: 500,
    type: SERVER,
    code: 'internal_error',
    message: 'NexCode had an error processing your request. The log of the server has its cause under the request id.',
    fault: 'server',
    cure: 'A defect of NexCode: please report it with the log line of that request id.',
  },
} as const satisfies Record<string, ErrorEntry>

/** The name of a row of the catalogue. */
export type ErrorKind = keyof typeof ERROR_CATALOGUE
