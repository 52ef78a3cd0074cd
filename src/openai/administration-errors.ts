import type { ErrorEntry } from './error-entry.ts'

const INVALID = 'invalid_request_error'

/** The errors of the Administration API, which this server answers from its ledger. */
export const ADMINISTRATION_ERRORS = {
  object_not_found: {
    status: 404,
    type: INVALID,
    code: 'not_found',
    message: 'There is no such object.',
    fault: 'caller',
    cure: 'Take an id that a list of the same kind shows; a key or a service account is only found below its own project.',
  },
  not_administered: {
    status: 404,
    type: INVALID,
    code: 'unknown_url',
    message: 'This part of the Administration API is not served here.',
    fault: 'caller',
    cure: 'The message lists what is served: this server has projects, keys, limits, usage, costs and an audit log, and no users.',
  },
  not_a_callers_key: {
    status: 400,
    type: INVALID,
    code: 'not_a_callers_key',
    message: 'This is for callers, who look at their own key with it. With an admin key, name the key by its id.',
    fault: 'caller',
    cure: 'Ask for `/v1/organization/projects/{project_id}/api_keys/{api_key_id}`.',
  },
  managed_by_file: {
    // Not 409, which SDKs try again.
    status: 400,
    type: INVALID,
    code: 'managed_by_file',
    message: 'This is declared in the configuration file of this server and can only be changed there.',
    fault: 'caller',
    cure: 'Change `projects` in `nexcode.yaml`; what the file declares shows as `managed_by: file`.',
  },
  project_archived: {
    status: 400,
    type: INVALID,
    code: 'project_archived',
    message: 'The project is archived: it can’t be used or changed any more.',
    fault: 'caller',
    cure: 'Make another project; an archived one stays in the books.',
  },
  key_expired: {
    status: 400,
    type: INVALID,
    code: 'key_expired',
    message: 'The API key has expired: it can’t be changed any more.',
    fault: 'caller',
    cure: 'Make another key.',
  },
  change_conflict: {
    status: 503,
    type: 'server_error',
    code: 'change_conflict',
    message:
      'The object was changed by others again and again while your change was made. Nothing was changed. Please retry.',
    fault: 'server',
    retryAfterSeconds: 1,
    cure: 'Retry; each change is made from what is there, and starts anew when that has changed.',
  },
} as const satisfies Record<string, ErrorEntry>
