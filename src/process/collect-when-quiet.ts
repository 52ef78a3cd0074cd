import type { Observer } from '../exchange/exchange.ts'

/** The platform's part in it. */
export interface QuietDeps {
  /** Collects all garbage, and gives the memory back to the system. Takes 12 to 20 ms, longer on a busy machine. */
  readonly collect: () => void
  /** The memory that the process holds, in bytes. */
  readonly residentBytes: () => number
  /** Calls back after so many milliseconds; never keeps the process alive. */
  readonly after: (ms: number, callback: () => void) => void
}

/** How long no request may have come or ended. */
const QUIET_MS = 500
/** The growth that is worth a collection: a few hundred requests. */
const GROWN_BYTES_MIN = 8 * 1024 * 1024

const PLATFORM: QuietDeps = {
  collect: () => Bun.gc(true),
  residentBytes: () => process.memoryUsage.rss(),
  after: (ms, callback) => void setTimeout(callback, ms).unref(),
}

/**
 * Makes an observer that has garbage collected behind a load, once it is quiet. The runtime collects by what is allocated: a process
 * that has nothing more to do may keep up to 16 MB of what its last requests have left.
 *
 * A request costs two additions; the clock runs only from the first request to the next quiet moment.
 *
 * @example
 * const app = createApp({ ...deps, observers: [collectWhenQuiet()] })
 */
export function collectWhenQuiet({ collect, residentBytes, after }: QuietDeps = PLATFORM): Observer {
  let keptBytes = residentBytes()
  let events = 0
  let isWatching = false
  const watch = (): void => {
    const seen = events
    isWatching = true
    after(QUIET_MS, () => {
      if (events !== seen) return watch()
      isWatching = false
      keptBytes = Math.min(keptBytes, residentBytes())
      if (residentBytes() - keptBytes < GROWN_BYTES_MIN) return
      collect()
      keptBytes = residentBytes()
    })
  }
  const onEvent = (): void => {
    events += 1
    if (!isWatching) watch()
  }
  return { onStart: onEvent, onEnd: onEvent }
}
