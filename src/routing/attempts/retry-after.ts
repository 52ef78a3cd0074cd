/** A number of the headers below; OpenAI's own SDKs take fractions, too. */
const NUMBER = /^\d{1,15}(?:\.\d{1,15})?$/

/**
 * Reads how long an answer asks to be left alone, in ms: `retry-after-ms`, else `Retry-After` in seconds or as a date (RFC 9110
 * §10.2.3). undefined: the header is absent, past or not well-formed.
 *
 * @param nowMs The time that dates are compared with: `Date.now()`.
 *
 * @example
 * health.answered(answer.status, ms, parseRetryAfter(answer.headers, Date.now()))
 */
export function parseRetryAfter(headers: Headers, nowMs: number): number | undefined {
  const ms = headers.get('retry-after-ms')
  if (ms !== null && NUMBER.test(ms)) return Number(ms)
  const after = headers.get('retry-after')
  if (after === null) return undefined
  if (NUMBER.test(after)) return Number(after) * 1000
  const date = parseHttpDate(after, nowMs)
  return date === undefined || date < nowMs ? undefined : date - nowMs
}

const MONTHS: readonly string[] = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
const TIME = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)'
const MONTH = '(?<month>[A-Z][a-z]{2})'

/** IMF-fixdate, and the two obsolete forms that recipients must read: those of RFC 850 and of asctime. */
const FORMS: readonly RegExp[] = [
  new RegExp(`^[A-Z][a-z]{2}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^[A-Z][a-z]{5,8}, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`),
  new RegExp(`^[A-Z][a-z]{2} ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
]

/**
 * Reads a date of HTTP (RFC 9110 §5.6.7), in ms since 1970; undefined: it is none. The weekday is not looked at.
 *
 * Written out, because `Date.parse` accepts many texts that are no dates, and reads asctime's form as local time.
 *
 * @param nowMs A year of two digits that would be more than 50 years after it is one of the century before.
 */
export function parseHttpDate(text: string, nowMs: number): number | undefined {
  for (const form of FORMS) {
    const parts = form.exec(text)?.groups
    if (parts !== undefined) return timeOf(parts, nowMs)
  }
  return undefined
}

function timeOf(parts: Readonly<Record<string, string>>, nowMs: number): number | undefined {
  const numberOf = (name: string): number => Number(parts[name])
  const [year, month] = [yearOf(parts['year'] ?? '', nowMs), MONTHS.indexOf(parts['month'] ?? '')]
  const [day, hour, minute, second] = [numberOf('day'), numberOf('hour'), numberOf('minute'), numberOf('second')]
  // The 31st of February would be a day in March.
  const isDay = month !== -1 && new Date(Date.UTC(year, month, day)).getUTCDate() === day
  // A leap second is valid, too.
  const isTime = hour <= 23 && minute <= 59 && second <= 60
  return isDay && isTime ? Date.UTC(year, month, day, hour, minute, second) : undefined
}

function yearOf(digits: string, nowMs: number): number {
  if (digits.length === 4) return Number(digits)
  const thisYear = new Date(nowMs).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + Number(digits)
  return year > thisYear + 50 ? year - 100 : year
}
