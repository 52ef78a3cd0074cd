import type { RateState } from '../limiter.ts'
import type { CounterTable } from './counter-table.ts'

/** A token bucket: so many units in each period, and as many at once. */
export interface Rate {
  readonly limit: number
  /** In milliseconds. */
  readonly periodMs: number
}

/** What a token bucket says about a request for some of its units. */
export interface RateAnswer extends RateState {
  readonly isAllowed: boolean
  /** When so many units can be had, in milliseconds from now; 0: now; Infinity: never, for the bucket is too small. */
  readonly retryMs: number
}

const NS_PER_MS = 1_000_000
const NS_PER_MS_BIG = BigInt(NS_PER_MS)

/** Says whether units can be had from a token bucket, and takes none. `now`: milliseconds since 1970. */
export function lookAtUnits(counters: CounterTable, slot: number, rate: Rate, units: number, now: number): RateAnswer {
  return answerOf(rate, units, aheadOf(counters.time(slot), nanoseconds(now)), false)
}

/**
 * Takes units from a token bucket, as one atomic step on a time (GCRA, ITU-T I.371): of many processes that ask at once, those that fit get
 * theirs. `now`: milliseconds since 1970. Nothing is taken where it is refused, nor for 0 units.
 */
export function takeUnits(counters: CounterTable, slot: number, rate: Rate, units: number, now: number): RateAnswer {
  const nowNs = nanoseconds(now)
  for (;;) {
    const before = counters.time(slot)
    const ahead = aheadOf(before, nowNs)
    const answer = answerOf(rate, units, ahead, true)
    if (!answer.isAllowed || units === 0) return answer
    // Where another process was quicker, it is asked again.
    if (counters.moveTime(slot, before, nowNs + BigInt(ahead + timeOf(units, rate)))) return answer
  }
}

/**
 * Gives back units that were taken and not used, or takes what was used beyond them, whatever the bucket says: it has happened.
 * `now`: milliseconds since 1970.
 */
export function correctUnits(counters: CounterTable, slot: number, rate: Rate, units: number, now: number): void {
  if (units === 0 || rate.limit <= 0) return
  const nowNs = nanoseconds(now)
  for (;;) {
    const before = counters.time(slot)
    const from = units > 0 && before < nowNs ? nowNs : before
    if (counters.moveTime(slot, before, from + BigInt(timeOf(units, rate)))) return
  }
}

/** How long it takes until so many units have come in, in nanoseconds. */
function timeOf(units: number, { limit, periodMs }: Rate): number {
  return Math.round((units * periodMs * NS_PER_MS) / limit)
}

/** How far the time up to which a bucket is used lies ahead. */
function aheadOf(usedUpTo: bigint, nowNs: bigint): number {
  return usedUpTo > nowNs ? Number(usedUpTo - nowNs) : 0
}

/** The last moment that was asked for: of many calls in one millisecond only the first makes big numbers of it. */
const last = { now: 0, nowNs: 0n }

function nanoseconds(now: number): bigint {
  if (now !== last.now) {
    last.nowNs = BigInt(Math.trunc(now)) * NS_PER_MS_BIG
    last.now = now
  }
  return last.nowNs
}

function answerOf(rate: Rate, units: number, ahead: number, isTaken: boolean): RateAnswer {
  if (rate.limit <= 0) {
    const isAllowed = units === 0
    return { isAllowed, remaining: 0, resetMs: 0, retryMs: isAllowed ? 0 : Number.POSITIVE_INFINITY }
  }
  const periodNs = rate.periodMs * NS_PER_MS
  // Each call of one unit may have been rounded up by half a nanosecond; never is half a unit let past for that.
  const rounded = Math.min(rate.limit, periodNs / rate.limit) / 2
  const over = ahead + timeOf(units, rate) - periodNs
  const isAllowed = units <= rate.limit && (units === 0 || over <= rounded)
  const used = isAllowed && isTaken ? ahead + timeOf(units, rate) : ahead
  return {
    isAllowed,
    remaining: Math.max(0, Math.floor(((periodNs - used + rounded) * rate.limit) / periodNs)),
    resetMs: Math.ceil(used / NS_PER_MS),
    retryMs: isAllowed ? 0 : units > rate.limit ? Number.POSITIVE_INFINITY : Math.ceil(over / NS_PER_MS),
  }
}
