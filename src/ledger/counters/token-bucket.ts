import type { CounterTable } from './counter-table.ts'

/** A token bucket: so many units in each period, and as many at once. */
export interface Rate {
  readonly limit: number
  /** In milliseconds. */
  readonly periodMs: number
}

/** What a token bucket says about a request for some of its units. */
export interface RateAnswer {
  readonly isAllowed: boolean
  /** Units that can be had at once now. */
  readonly remaining: number
  /** When the bucket is full again, in milliseconds from now. */
  readonly resetMs: number
  /** When so many units can be had, in milliseconds from now; 0: now; Infinity: never, for the bucket is too small. */
  readonly retryMs: number
}

/**
 * Takes units from a token bucket, as one atomic step on a time (GCRA, ITU-T I.371): of many processes that ask at once, those that fit get
 * theirs. `now`: milliseconds since 1970. Nothing is taken where it is refused, nor for 0 units.
 *
 * @example
 * const { isAllowed, retryMs } = takeUnits(counters, slot, { limit: 60, periodMs: 60_000 }, 1, Date.now())
 */
export function takeUnits(counters: CounterTable, slot: number, rate: Rate, units: number, now: number): RateAnswer {
  const periodUs = rate.periodMs * 1000
  const perUnitUs = periodUs / rate.limit
  const nowUs = now * 1000
  for (;;) {
    const before = counters.time(slot)
    const from = Math.max(before, nowUs)
    const to = Math.ceil(from + units * perUnitUs)
    const isAllowed = units <= rate.limit && to - nowUs <= periodUs
    const used = isAllowed ? to : from
    // Another process was quicker: it is asked again.
    if (isAllowed && units > 0 && !counters.moveTime(slot, before, to)) continue
    return {
      isAllowed,
      remaining: Math.max(0, Math.floor((periodUs - (used - nowUs)) / perUnitUs)),
      resetMs: Math.max(0, Math.ceil((used - nowUs) / 1000)),
      retryMs: isAllowed
        ? 0
        : units > rate.limit
          ? Number.POSITIVE_INFINITY
          : Math.ceil((to - nowUs - periodUs) / 1000),
    }
  }
}

/**
 * Gives back units that were taken and not used, or takes what was used beyond them, whatever the bucket says: it has happened.
 *
 * @example
 * correctUnits(counters, slot, rate, tokensUsed - tokensTaken, Date.now())
 */
export function correctUnits(counters: CounterTable, slot: number, rate: Rate, units: number, now: number): void {
  const nowUs = now * 1000
  for (;;) {
    const before = counters.time(slot)
    const to = Math.ceil(Math.max(before, units > 0 ? nowUs : before) + (units * rate.periodMs * 1000) / rate.limit)
    if (units === 0 || to === before || counters.moveTime(slot, before, Math.max(0, to))) return
  }
}
