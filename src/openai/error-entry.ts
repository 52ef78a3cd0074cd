/** The party whose fault an error is: it decides the log level and the metric label, never the wire shape. */
export type Party = 'caller' | 'upstream' | 'server'

/** One row of the catalogue: the error on the wire, the party at fault, and the cure. */
export interface ErrorEntry {
  readonly status: number
  /**
   * OpenAI's `type`; never null, because openai-java throws on a null. Agents decide by it: `server_error` if waiting or another
   * try may help, `invalid_request_error` or `insufficient_quota` if only another request will.
   */
  readonly type: string
  readonly code: string | null
  /** The default message; a thrower may put a more exact one in its place. */
  readonly message: string
  readonly fault: Party
  /** Seconds for `Retry-After`, where waiting helps. */
  readonly retryAfterSeconds?: number
  /** The advice for docs/errors.md. */
  readonly cure: string
}

/** Types that say that the same request will fail again. */
const FINAL_TYPES: ReadonlySet<string> = new Set(['invalid_request_error', 'insufficient_quota'])

/**
 * Whether the SDKs would try again after an error by its status (408, 409, 429, 5xx), although that can't help.
 *
 * @example
 * if (isRetriedInVain(error.entry)) headers.set('x-should-retry', 'false')
 */
export function isRetriedInVain({ status, type }: Pick<ErrorEntry, 'status' | 'type'>): boolean {
  const isRetried = status === 408 || status === 409 || status === 429 || status >= 500
  return isRetried && FINAL_TYPES.has(type)
}
