import type { Config } from '../../config/config.ts'
import { freeze } from '../../config/freeze.ts'

/**
 * The configuration of one worker: the port that all of them share, and its part of what is limited for all together,
 * rounded up, so that each may do something.
 *
 * @example
 * shareConfig(config, 8000).limits.inFlightMax
 */
export function shareConfig(config: Config, port: number): Config {
  const inFlightMax = Math.ceil(config.limits.inFlightMax / config.workers)
  return freeze({ ...config, server: { ...config.server, port }, limits: { ...config.limits, inFlightMax } })
}
