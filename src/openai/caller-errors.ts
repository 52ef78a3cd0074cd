import type { ErrorEntry } from './error-entry.ts'

const INVALID = 'invalid_request_error'

/** The errors that the caller can mend. */
export const CALLER_ERRORS = {
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
  invalid_parameter: {
    status: 400,
    type: INVALID,
    code: null,
    message: 'A parameter of your request is not valid.',
    fault: 'caller',
    cure: '`param` names the field, the message says what was expected. `code` is `missing_required_parameter`, `empty_array`, `invalid_type` or `integer_below_min_value`.',
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
  websocket_not_relayed: {
    status: 426,
    type: INVALID,
    code: 'websocket_not_relayed',
    message:
      'This server looks into each call of this endpoint, and what is said on a WebSocket it passes on unread. Send the call as a POST over HTTP.',
    fault: 'caller',
    cure: 'Post the request; clients such as Codex do so by themselves on this status. A WebSocket at `/v1/responses` is relayed where no `models`, `unknown_models: refuse`, fitting rule or extension has a say in calls, nothing is recorded or replayed, the upstream offers one, and the key may use the endpoint and has money left.',
  },
  model_not_found: {
    status: 404,
    type: INVALID,
    code: 'model_not_found',
    message: 'The model does not exist or you do not have access to it.',
    fault: 'caller',
    cure: 'Use a name that `GET /v1/models` lists; the operator decides on them (`models` and `unknown_models` in the configuration file).',
  },
  no_cassette: {
    status: 404,
    type: INVALID,
    code: 'no_cassette',
    message: 'No cassette fits your request.',
    fault: 'caller',
    cure: 'The server replays recorded exchanges (`nexcode replay`), and the message shows the nearest one and what differs. Record the request (`nexcode record`), or have what differs ignored (`--ignore`).',
  },
  idempotency_conflict: {
    status: 422,
    type: INVALID,
    code: 'idempotency_key_reused',
    message: 'The Idempotency-Key of your request has been used for another request. Use a new key for each request.',
    fault: 'caller',
    cure: 'Send a new `Idempotency-Key` with a new request; only a retry, with the very same method, path and body, may have one that was used.',
  },
  invalid_idempotency_key: {
    status: 400,
    type: INVALID,
    code: 'invalid_idempotency_key',
    message:
      'The Idempotency-Key of your request is empty, or there are several of them that differ. Send exactly one.',
    fault: 'caller',
    cure: 'Send one `Idempotency-Key` with a value of your own choice, or none; a proxy in between may have added another.',
  },
  idempotency_outcome_unknown: {
    status: 409,
    type: INVALID,
    code: 'idempotency_outcome_unknown',
    message:
      'A request with this Idempotency-Key was sent before, and how it ended is not known: whoever made it broke off. It is not sent a second time under this key. Use a new key to have it made anew.',
    fault: 'caller',
    cure: 'Decide whether the request may be made, and perhaps billed, a second time, and send it with a new `Idempotency-Key` then. The server that had it was ended or cut off from the store; what was made in the background can be looked up at the upstream.',
  },
  idempotency_answer_not_kept: {
    status: 409,
    type: INVALID,
    code: 'idempotency_answer_not_kept',
    message:
      'A request with this Idempotency-Key has been made, and its answer is not kept here, so that it can’t be given again. It is not sent a second time under this key. Use a new key to have it made anew.',
    fault: 'caller',
    cure: 'Send a new `Idempotency-Key` to have the request made anew. The operator decides how large an answer is kept (`max_answer_bytes`), and how much for one caller (`max_bytes`).',
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
  failing_repeats: {
    status: 429,
    type: 'rate_limit_error',
    code: 'failing_repeats',
    message:
      'Too many retries: this request has failed again and again, and was not sent once more. Please try again later.',
    fault: 'caller',
    retryAfterSeconds: 60,
    cure: 'Wait as long as `Retry-After` says, or find out what it fails of: the answers before this one say so. The operator decides how often one caller may repeat a failing request (`MAX_FAILED_REPEATS`).',
  },
  extension_refused: {
    status: 400,
    type: INVALID,
    code: null,
    message: 'An extension of this server refused your request.',
    fault: 'caller',
    cure: 'Raised by one of the operator’s extensions, with a status, a message and a `code` of its choice (`context.error`).',
  },
  client_closed: {
    status: 499,
    type: INVALID,
    code: 'client_closed',
    message: 'The client closed the connection before the answer was complete.',
    fault: 'caller',
    cure: 'Only ever seen in the log: nobody is left to read it.',
  },
} as const satisfies Record<string, ErrorEntry>
