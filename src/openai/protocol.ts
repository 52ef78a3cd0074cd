import type { ApiError } from './api-error.ts'

/** The protocols that this server speaks to callers, whatever it serves: they differ in how errors and lists are written. */
export type Protocol = 'openai' | 'anthropic'

/** The paths of Anthropic's Messages API. Clients whose base URL has a `/v1` of its own write it twice. */
const MESSAGES_PATH = /^(?:\/v1){0,2}\/messages(?:[/?]|$)/

/**
 * Gives the protocol of a request: Anthropic's at the paths of its Messages API, and wherever the header is that it asks of each
 * request (https://platform.claude.com/docs/en/api/versioning); else OpenAI's.
 *
 * @example
 * const isAnthropic = protocolOf(exchange.requestTarget, exchange.received) === 'anthropic'
 */
export function protocolOf(target: string, headers: Headers): Protocol {
  return MESSAGES_PATH.test(target) || headers.has('anthropic-version') ? 'anthropic' : 'openai'
}

/** The body that Anthropic sends for each error (https://platform.claude.com/docs/en/api/errors). */
export interface AnthropicErrorBody {
  readonly type: 'error'
  readonly error: {
    readonly type: string
    readonly message: string
    /** OpenAI's word for the error, and the parameter at fault: for people and programs that look closer. Absent where there is none. */
    readonly code?: string
    readonly param?: string
  }
  /** The same as in the header `request-id`. */
  readonly request_id: string
}

/** Anthropic's types by the status of an error. Its own statuses are the same, but for 529, which here is 503 as for everybody. */
const TYPES: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
])

/**
 * Writes an error of ours as Anthropic would: `id` is the request's.
 *
 * @example
 * const text = JSON.stringify(anthropicErrorOf(error, exchange.id))
 */
export function anthropicErrorOf({ entry: { status }, body }: ApiError, id: string): AnthropicErrorBody {
  const { message, code, param } = body.error
  const type = TYPES.get(status) ?? (status < 500 ? 'invalid_request_error' : 'api_error')
  const more = { ...(code !== null && { code }), ...(param !== null && { param }) }
  return { type: 'error', error: { type, message, ...more }, request_id: id }
}
