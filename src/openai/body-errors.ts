import type { ErrorEntry } from './error-entry.ts'

/** The type of an error that only another request will cure. */
const INVALID = 'invalid_request_error'

/** The errors of a request's body: its length, its transfer, and its readability. */
export const BODY_ERRORS = {
  invalid_json: {
    status: 400,
    type: INVALID,
    code: null,
    message:
      "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)",
    fault: 'caller',
    cure: 'Send one JSON object in UTF-8.',
  },
  decodes_to_too_much: {
    status: 413,
    type: INVALID,
    code: 'decodes_to_too_much',
    message: 'The body of your request decodes to more than 50 times its size. Send it as plain JSON.',
    fault: 'caller',
    cure: 'Send the body without `Content-Encoding`. One that decodes to no more than 256 KiB is taken, however short it is.',
  },
  too_many_values: {
    status: 413,
    type: INVALID,
    code: 'too_many_values',
    message:
      'The JSON of your request holds more objects, lists and strings than this server takes for its length. Send fewer of them at once.',
    fault: 'caller',
    cure: 'The values of a JSON body may take 2 MiB of memory, and five times the length of the body on top of that: an object takes 64 bytes, a list 48, a string 32 and a member 16 to 100. More than a million values, an object of more than 20,000 members (a name that occurs again may count again), more than 1,000 levels, a name of more than 64 KiB, and a number or white space of more than 256 KiB are not taken either; the message says which of them it was. A body of up to 32 KiB may hold what it likes.',
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
    // The network is at fault, and another try may go through.
    type: 'server_error',
    code: 'upload_timeout',
    message: 'The body of your request stopped arriving before it was complete, or came too slowly.',
    fault: 'caller',
    cure: 'Check the network between you and this server, or raise `UPLOAD_IDLE_TIMEOUT_MS`, or lower `UPLOAD_MIN_RATE`.',
  },
} as const satisfies Record<string, ErrorEntry>
