import { ApiError } from '../openai/api-error.ts'
import { ERROR_CATALOGUE } from '../openai/error-catalogue.ts'
import type { ErrorEntry, Party } from '../openai/error-entry.ts'
import type { ErrorDetails } from './extension.ts'

/** Agents give up at once on these statuses unless they say when to come back. */
const RETRY_LATER: ReadonlySet<number> = new Set([429, 503])

/** An extension's own error: OpenAI's shape, with any error status. */
export class ExtensionError extends ApiError {
  override readonly entry: ErrorEntry

  constructor(status: number, { message, code = null, param = null, type = typeOf(status) }: ErrorDetails) {
    const kind = status < 500 ? 'extension_refused' : 'extension_failed'
    super(kind, { message, code, param, type, ...(RETRY_LATER.has(status) && { retryAfterSeconds: 1 }) })
    this.entry = { ...ERROR_CATALOGUE[kind], status, type, fault: faultOf(status) }
  }
}

/**
 * Makes the error of `context.error`. Throws a `TypeError` for a status below 400, a missing message, and a part that is not a text.
 *
 * @example
 * throw extensionError(403, { message: 'Not in this tone, please.' })
 */
export function extensionError(status: number, details: ErrorDetails): ApiError {
  if (!Number.isInteger(status) || status < 400 || status > 599) {
    throw new TypeError('context.error takes a status from 400 to 599')
  }
  if (typeof details?.message !== 'string') throw new TypeError('context.error takes a message')
  if (details.type !== undefined && typeof details.type !== 'string')
    throw new TypeError('the type of an error is a text')
  for (const name of ['code', 'param'] as const) {
    const value: unknown = details[name]
    if (value !== undefined && value !== null && typeof value !== 'string')
      throw new TypeError(`the ${name} of an error is a text, or null`)
  }
  return new ExtensionError(status, details)
}

/** Agents go by the type: an error that waiting may cure must have one that says so. */
function typeOf(status: number): string {
  if (status === 429) return 'rate_limit_error'
  return status >= 500 || status === 408 || status === 409 ? 'server_error' : 'invalid_request_error'
}

function faultOf(status: number): Party {
  if (status < 500) return 'caller'
  return status === 502 || status === 504 ? 'upstream' : 'server'
}
