/** One reading: so many MiB after so many ms. */
export interface Reading {
  readonly ms: number
  readonly mib: number
}

const MS_A_MINUTE = 60_000

/**
 * How fast memory grows, in MiB a minute: the median of the slopes between all pairs of readings (Theil–Sen), which a few high ones do
 * not move. Of each window the lowest reading counts, since what is between two collections is no growth.
 */
export function slopeOf(readings: readonly Reading[], windowMs: number): number {
  const lows = new Map<number, Reading>()
  for (const reading of readings) {
    const window = Math.floor(reading.ms / windowMs)
    const low = lows.get(window)
    if (low === undefined || reading.mib < low.mib) lows.set(window, reading)
  }
  const points = [...lows.values()]
  const slopes = points.flatMap((from, index) =>
    points.slice(index + 1).map((to) => ((to.mib - from.mib) / (to.ms - from.ms)) * MS_A_MINUTE),
  )
  if (slopes.length === 0) throw new Error('There are too few readings for a slope.')
  slopes.sort((a, b) => a - b)
  return slopes[Math.floor(slopes.length / 2)] as number
}
