/** How long before the client's own clock an answer has to be on its way. */
const MARGIN_SHARE = 0.05
const MARGIN_MS_MIN = 50
const MARGIN_MS_MAX = 500

/** How long a client waits, less a margin, in ms; undefined: it does not say. */
export interface ClientLimits {
  /** From the moment that its request has been sent: a limit on each wait (OpenAI's SDK for Python; Java's, too). */
  readonly waitMs: number | undefined
  /** From the moment that it begins to send, until the answer's head is there (OpenAI's SDKs for Node, Go, Java, Ruby). */
  readonly wholeMs: number | undefined
}

/**
 * How long a client waits, as its SDK tells it in seconds: `x-stainless-read-timeout` is one wait at the socket, for which an
 * upload does not count; `x-stainless-timeout` is the whole call up to its headers.
 *
 * A time to be cut to 0 by Node's SDK, which tells whole seconds, counts as not told.
 *
 * @example
 * const { waitMs, wholeMs } = clientLimits(request.headers)
 */
export function clientLimits(headers: Headers): ClientLimits {
  return {
    waitMs: limitOf(headers.get('x-stainless-read-timeout')),
    wholeMs: limitOf(headers.get('x-stainless-timeout')),
  }
}

function limitOf(told: string | null): number | undefined {
  if (told === null || !/^\d+(\.\d+)?$/.test(told.trim())) return undefined
  const ms = Number(told) * 1000
  if (ms < 2 * MARGIN_MS_MIN || !Number.isFinite(ms)) return undefined
  return ms - Math.min(MARGIN_MS_MAX, Math.max(MARGIN_MS_MIN, ms * MARGIN_SHARE))
}
