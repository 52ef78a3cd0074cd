/** The calendar windows of a budget; `total` has no end. */
export const BUDGET_WINDOWS = ['day', 'week', 'month', 'total'] as const
/** One of them. */
export type BudgetWindow = (typeof BUDGET_WINDOWS)[number]

/** A window at a moment. */
export interface WindowNow {
  /** Its name within its budget: the date of its first day; empty for `total`. */
  readonly id: string
  /** Its first and its next window's first moment, in milliseconds since 1970. */
  readonly startsAt: number
  readonly endsAt: number
}

const DAY_MS = 86_400_000
const formats = new Map<string, Intl.DateTimeFormat>()
/** The last window of each kind by its time zone: nothing is worked out again before it ends. */
const windows = {
  day: new Map<string, WindowNow>(),
  week: new Map<string, WindowNow>(),
  month: new Map<string, WindowNow>(),
}
const TOTAL: WindowNow = { id: '', startsAt: 0, endsAt: Number.POSITIVE_INFINITY }

/**
 * The window of a budget at a moment, by the calendar of a time zone: days from midnight, weeks from Monday, months from the 1st. It is
 * worked out from the clock at each look, so that nothing has to run when a window ends. `now`: milliseconds since 1970.
 *
 * Throws a `RangeError` for a time zone that is none (IANA time zone database).
 *
 * @example
 * windowAt('month', 'Europe/Berlin', Date.UTC(2026, 10, 30)).id // '2026-11-01'
 */
export function windowAt(window: BudgetWindow, timeZone: string, now: number): WindowNow {
  if (window === 'total') return TOTAL
  const last = windows[window].get(timeZone)
  if (last !== undefined && now >= last.startsAt && now < last.endsAt) return last
  const found = workOut(window, timeZone, now)
  windows[window].set(timeZone, found)
  return found
}

function workOut(window: 'day' | 'week' | 'month', timeZone: string, now: number): WindowNow {
  const { year, month, day } = dateIn(timeZone, now)
  const first = firstDay(window, Date.UTC(year, month - 1, day))
  const next = window === 'month' ? Date.UTC(year, month, 1) : first + (window === 'week' ? 7 : 1) * DAY_MS
  return {
    id: new Date(first).toISOString().slice(0, 10),
    startsAt: midnight(first, timeZone),
    endsAt: midnight(next, timeZone),
  }
}

/** The first day of the window with a day. Days are told as UTC's midnights. */
function firstDay(window: 'day' | 'week' | 'month', day: number): number {
  if (window === 'day') return day
  const date = new Date(day)
  if (window === 'month') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1)
  return day - ((date.getUTCDay() + 6) % 7) * DAY_MS
}

/** The first moment of a day in a time zone. Where clocks are put forward at midnight, that is one o'clock. */
function midnight(day: number, timeZone: string): number {
  // A day begins between 15 hours before and 12 hours after UTC's; what the zone shows for a moment grows with it, but for one hour.
  let low = day - 16 * 3_600_000
  let high = day + 16 * 3_600_000
  while (high - low > 1000) {
    const middle = Math.floor((low + high) / 2000) * 1000
    const { year, month, day: dayOf } = dateIn(timeZone, middle)
    if (Date.UTC(year, month - 1, dayOf) >= day) high = middle
    else low = middle
  }
  return high
}

function dateIn(timeZone: string, now: number): { year: number; month: number; day: number } {
  let format = formats.get(timeZone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-u-ca-gregory', { timeZone, year: 'numeric', month: 'numeric', day: 'numeric' })
    formats.set(timeZone, format)
  }
  const found = { year: 0, month: 0, day: 0 }
  for (const { type, value } of format.formatToParts(now))
    if (type === 'year' || type === 'month' || type === 'day') found[type] = Number(value)
  return found
}
