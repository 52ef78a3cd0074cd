import type { ErrorEntry } from './error-entry.ts'

/** The errors of keys, limits and money, where there is a ledger. */
export const LEDGER_ERRORS = {
  ledger_unavailable: {
    status: 503,
    type: 'server_error',
    code: 'ledger_unavailable',
    message:
      'This server can not read its ledger now, and so does not know whether your key is good. Please retry shortly.',
    fault: 'server',
    retryAfterSeconds: 1,
    cure: 'Nothing is wrong with the key. Look at the ledger (`LEDGER`): the log says why it can not be read. Keys that the server knows go on.',
  },
  admin_key_needed: {
    status: 403,
    type: 'invalid_request_error',
    code: 'insufficient_permissions',
    message:
      'You have insufficient permissions for this operation: this path manages the server, and your key can only call. Use an admin key.',
    fault: 'caller',
    cure: 'Send `ADMIN_KEY`, or an admin key that was made with it.',
  },
  endpoint_not_permitted: {
    status: 403,
    type: 'invalid_request_error',
    code: 'endpoint_not_permitted',
    message: 'Your key may not use this endpoint.',
    fault: 'caller',
    cure: 'The operator decides which endpoints a key may use (`endpoints` of the key or its project). A key with a spend limit and no `endpoints` may use what can be metered: what else it may use has to be named.',
  },
  model_not_priced: {
    status: 403,
    type: 'invalid_request_error',
    code: 'model_not_priced',
    message: 'This model has no price, and your key has a spend limit: what the call costs could not be counted.',
    fault: 'caller',
    cure: 'The operator gives the model a price in the configuration file (`prices`), or says there that it is free. `nexcode prices show MODEL` shows what is known.',
  },
  rate_limited: {
    status: 429,
    type: 'requests',
    code: 'rate_limit_exceeded',
    message: 'Rate limit reached. Please try again later.',
    fault: 'caller',
    retryAfterSeconds: 1,
    cure: 'Wait as long as `Retry-After` says; the SDKs do so by themselves. The operator decides on the limits of a key and its project. `type` is `requests` or `tokens`.',
  },
  exceeds_limit: {
    status: 400,
    type: 'invalid_request_error',
    code: 'request_exceeds_limit',
    message: 'This request is larger than a limit of your key will ever allow.',
    fault: 'caller',
    cure: 'Send a shorter prompt, or ask for fewer tokens or images: waiting does not help. The operator decides on the limits.',
  },
  spend_limit_reached: {
    status: 429,
    type: 'insufficient_quota',
    code: 'insufficient_quota',
    message: 'You exceeded your current quota: the spend limit of your key is reached.',
    fault: 'caller',
    cure: '`x-nexcode-limit` says which limit it is, what was spent, and when it begins anew. The operator may raise it.',
  },
  limits_unavailable: {
    status: 503,
    type: 'server_error',
    code: 'limits_unavailable',
    message: 'This server can’t find out now whether your limits allow this request. Please retry shortly.',
    fault: 'server',
    retryAfterSeconds: 1,
    cure: 'Retry. The operator finds the cause in the log, and sees to the store of the limits; `on_ledger_down: allow` in the configuration file lets requests pass meanwhile.',
  },
} as const satisfies Record<string, ErrorEntry>
