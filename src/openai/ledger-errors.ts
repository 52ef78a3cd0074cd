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
} as const satisfies Record<string, ErrorEntry>
