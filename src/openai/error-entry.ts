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
