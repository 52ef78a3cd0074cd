import type { Findings } from '../exchange/findings.ts'
import type { RateShare } from '../exchange/spending.ts'
import { writeResetTime } from '../formats/text/reset-time.ts'

/** What the limits of a caller leave to it, of each kind. */
export type RateShares = Pick<Findings, 'requestRate' | 'tokenRate'>

/**
 * Adds `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` (OpenAI's API reference, rate limits) of this server's own limits, each kind
 * where they leave less than the upstream's, whose headers stay else.
 *
 * @example
 * addRateHeaders(headers, exchange)
 */
export function addRateHeaders(headers: Headers, { requestRate, tokenRate }: RateShares): void {
  if (requestRate !== undefined) addIfTighter(headers, 'requests', requestRate)
  if (tokenRate !== undefined) addIfTighter(headers, 'tokens', tokenRate)
}

function addIfTighter(headers: Headers, kind: 'requests' | 'tokens', { limit, remaining, resetMs }: RateShare): void {
  const name = `x-ratelimit-remaining-${kind}`
  const theirs = headers.get(name)
  if (theirs !== null && theirs !== '' && Number(theirs) <= remaining) return
  headers.set(`x-ratelimit-limit-${kind}`, String(limit))
  headers.set(name, String(remaining))
  headers.set(`x-ratelimit-reset-${kind}`, writeResetTime(resetMs))
}
