import { ApiError } from '../openai/api-error.ts'
import { ERROR_CATALOGUE } from '../openai/error-catalogue.ts'
import type { ErrorEntry, Fault } from '../openai/error-entry.ts'
import type { ErrorDetails } from './extension.ts'

/** Agents give up at once where these don't say when to come back. */
const WAITED_FOR: ReadonlySet<number> = new Set([429, 503])

/** An error that an extension answers with: OpenAI's shape with the status of its choice. */
export class ExtensionError extends ApiError {
  override readonly entry: ErrorEntry

  constructor(status: number, { message, code = null, param = null, type = typeOf(status) }: ErrorDetails) {
    const kind = status < 500 ? 'extension_refused' : 'extension_failed'
    super(kind, { message, code, param, type, ...(WAITED_FOR.has(status) && { retryAfterSeconds: 1 }) })
    this.entry = { ...ERROR_CATALOGUE[kind], status, type, fault: faultOf(status) }
  }
}

/**
 * Makes the error of `context.error`. Throws a `TypeError` for a status that is no error's, without a message, and where
 * another part is no text.
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

/** Agents go by the type: what waiting may cure must look so. */
function typeOf(status: number): string {
  if (status === 429) return 'rate_limit_error'
  return status >= 500 || status === 408 || status === 409 ? 'server_error' : 'invalid_request_error'
}

function faultOf(status: number): Fault {
  if (status < 500) return 'caller'
  return status === 502 || status === 504 ? 'upstream' : 'server'
}
