/** How long before the client's own clock an answer has to be on its way. */
const MARGIN_SHARE = 0.05
const MARGIN_MS_MIN = 50
const MARGIN_MS_MAX = 500

/**
 * How many milliseconds after a request's arrival its client gives up, less a margin, as the SDKs tell it:
 * `x-stainless-read-timeout` (Python) and `x-stainless-timeout` (Node), both in seconds; undefined: it does not say.
 *
 * A time to be cut to 0 by Node's SDK, which tells whole seconds, counts as not told.
 *
 * @example
 * const limitMs = clientDeadlineMs(request.headers)
 */
export function clientDeadlineMs(headers: Headers): number | undefined {
  const told = headers.get('x-stainless-read-timeout') ?? headers.get('x-stainless-timeout')
  if (told === null || !/^\d+(\.\d+)?$/.test(told.trim())) return undefined
  const ms = Number(told) * 1000
  if (ms < 2 * MARGIN_MS_MIN || !Number.isFinite(ms)) return undefined
  return ms - Math.min(MARGIN_MS_MAX, Math.max(MARGIN_MS_MIN, ms * MARGIN_SHARE))
}
