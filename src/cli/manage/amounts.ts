import { ManageProblem } from './ask-admin.ts'

/** Seconds of each unit that a person may write. */
const SECONDS: Readonly<Record<string, number>> = {
  ...{ s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 },
}
const WINDOWS = ['day', 'week', 'month', 'total'] as const

/**
 * Reads a length of time such as `48h` or `90d`, in seconds. `option` is named where it is none.
 *
 * @example
 * readSeconds('90d', '--expires') // 7_776_000
 */
export function readSeconds(written: string, option: string): number {
  const [, count, unit = ''] = /^(\d{1,9})\s*([smhdwy])$/.exec(written.trim()) ?? []
  const seconds = SECONDS[unit]
  if (count === undefined || seconds === undefined) {
    throw new ManageProblem(
      `${option} is a length of time: a number and one of s, m, h, d, w, y, such as 90d. It is '${written}'.`,
    )
  }
  return Number(count) * seconds
}

/**
 * Reads budgets such as `50/month` or `5/day,50/month`, in cents by the names of the windows; an amount without a window is the total.
 *
 * @example
 * readBudget('50/month') // { month: 5000 }
 */
export function readBudget(written: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    written.split(',').map((part) => {
      const [, dollars = '', window = 'total'] = /^\s*\$?(\d{1,9}(?:\.\d{1,9})?)\s*(?:\/\s*(\w+))?\s*$/.exec(part) ?? []
      if (dollars === '' || !WINDOWS.some((one) => one === window)) {
        throw new ManageProblem(
          `--budget is dollars for a day, week, month or in total, such as 50/month or 5/day,200/total. It is '${written}'.`,
        )
      }
      return [window, Number((Number(dollars) * 100).toFixed(7))]
    }),
  )
}

/**
 * Reads a whole number of at least 0. `option` is named where it is none.
 *
 * @example
 * const perMinute = readCount('60', '--rpm')
 */
export function readCount(written: string, option: string): number {
  if (!/^\d{1,9}$/.test(written.trim())) throw new ManageProblem(`${option} is a whole number. It is '${written}'.`)
  return Number(written)
}

/** Dollars as a person reads them: with cents, or more places where there is less than a cent. */
export function showDollars(dollars: number): string {
  const places = dollars !== 0 && Math.abs(dollars) < 0.01 ? 6 : 2
  return `$${dollars.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: places })}`
}

/** The day of a time in seconds since 1970, by UTC. */
export function showDay(seconds: unknown): string {
  return typeof seconds === 'number' ? new Date(seconds * 1000).toISOString().slice(0, 10) : 'never'
}
