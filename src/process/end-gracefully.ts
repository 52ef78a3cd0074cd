import { constants } from 'node:os'
import type { Log } from '../telemetry/log.ts'
import type { OpenLog } from '../telemetry/open-log.ts'
import type { Gateway } from './gateway.ts'

/** What says in the log that the end has begun, and why it may take a while. */
export const DRAINING = 'draining: requests under way may finish; a second signal ends them'

/** What is needed to end well. */
export interface Ending {
  readonly gateway: Gateway
  readonly log: Log
  readonly settle: OpenLog['settle']
}

/** Lets the requests under way end, gets the last line of the log out, and exits; gives first whether all did end. */
export function endGracefully(
  { gateway, log, settle }: Ending,
  onStopped: (isComplete: boolean) => void = () => undefined,
): void {
  gateway
    .drain()
    .then((isComplete) => {
      log.info({ complete: isComplete }, 'stopped')
      onStopped(isComplete)
    })
    .then(settle)
    .catch((cause: unknown) => log.error({ err: cause }, 'stopped badly'))
    .finally(() => process.exit(0))
}

/**
 * Has SIGTERM and SIGINT end a server well; a second one ends it at once.
 *
 * @example
 * endOnSignals({ gateway, log, settle })
 */
export function endOnSignals(ending: Ending): void {
  let isEnding = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isEnding) process.exit(128 + constants.signals[signal])
      isEnding = true
      ending.log.info({ signal }, DRAINING)
      endGracefully(ending)
    })
  }
}
