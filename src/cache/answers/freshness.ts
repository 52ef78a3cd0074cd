import type { RequestControl } from '../request-control.ts'
import type { StoredAnswer } from './stored-answer.ts'

/** Two machines' clocks may be as far apart. */
const CLOCKS_APART_MS = 60_000

/**
 * Gives the age of a kept answer, in milliseconds; never below 0, also where two nodes' clocks differ.
 *
 * @example
 * const seconds = Math.floor(ageOf(answer, Date.now()) / 1000)
 */
export function ageOf({ storedAt }: Pick<StoredAnswer, 'storedAt'>, now: number): number {
  return Math.max(0, now - storedAt)
}

/**
 * Says why a kept answer will not do: its time is up (`stale`), or the request wants a younger one or none (`request`).
 * undefined: it will do.
 *
 * @example
 * const miss = whyUnusable(answer, control, Date.now())
 */
export function whyUnusable(
  answer: Pick<StoredAnswer, 'storedAt' | 'ttlMs'>,
  { mayLook, maxAgeMs }: Pick<RequestControl, 'mayLook' | 'maxAgeMs'>,
  now: number,
): 'stale' | 'request' | undefined {
  // Kept in a time that has not come: a clock was put back, and nobody knows how old it is.
  if (answer.storedAt - now > CLOCKS_APART_MS) return 'stale'
  const ageMs = ageOf(answer, now)
  if (ageMs >= answer.ttlMs) return 'stale'
  return mayLook && ageMs <= maxAgeMs ? undefined : 'request'
}
