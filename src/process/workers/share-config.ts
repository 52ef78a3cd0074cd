import type { Config } from '../../config/config.ts'
import { freeze } from '../../config/freeze.ts'
import type { Settings } from '../../config/settings.ts'

/**
 * Makes the configuration of one worker: with the port that all workers share, and its share of the limits that hold for all together,
 * rounded up so that each worker may do something.
 *
 * @example
 * shareConfig(config, 8000).limits.inFlightMax
 */
export function shareConfig(config: Config, port: number): Config {
  const inFlightMax = shareOf(config.limits.inFlightMax, config.workers)
  const connectionsMax = shareOf(config.limits.connectionsMax, config.workers)
  const memoryBytesMax = shareOf(config.limits.memoryBytesMax, config.workers)
  return freeze({
    ...config,
    server: { ...config.server, port },
    limits: { ...config.limits, inFlightMax, connectionsMax, memoryBytesMax },
    settings: shareSettings(config.settings, config.workers),
  })
}

/** Makes the settings of one worker: with its share of each upstream's concurrency. */
export function shareSettings(settings: Settings, workers: number): Settings {
  const upstreams = settings.upstreams.map((upstream) => {
    const { concurrency } = upstream
    if (concurrency === undefined) return upstream
    const { max, queue, queueMs } = concurrency
    return { ...upstream, concurrency: { max: shareOf(max, workers), queue: shareOf(queue, workers), queueMs } }
  })
  return freeze({ ...settings, upstreams })
}

function shareOf(limit: number, workers: number): number {
  return Math.ceil(limit / workers)
}
