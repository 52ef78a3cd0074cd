const MS_PER_SECOND = 1000
const MS_PER_MINUTE = 60_000
const MS_PER_HOUR = 3_600_000

/**
 * Writes a time as OpenAI does in `x-ratelimit-reset-*` and in its messages (Go's durations): `1h2m3s`, `6m0s`, `1.574s`, `20ms`.
 *
 * @example
 * writeResetTime(360_000) // '6m0s'
 */
export function writeResetTime(ms: number): string {
  const whole = Math.max(0, Math.ceil(ms))
  if (whole === 0) return '0s'
  if (whole < MS_PER_SECOND) return `${whole}ms`
  const hours = Math.floor(whole / MS_PER_HOUR)
  const minutes = Math.floor((whole % MS_PER_HOUR) / MS_PER_MINUTE)
  const seconds = (whole % MS_PER_MINUTE) / MS_PER_SECOND
  const ofHours = hours === 0 ? '' : `${hours}h`
  return `${ofHours}${hours === 0 && minutes === 0 ? '' : `${minutes}m`}${seconds}s`
}
