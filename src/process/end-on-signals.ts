import { constants } from 'node:os'
import type { Log } from '../telemetry/log.ts'
import type { OpenLog } from '../telemetry/open-log.ts'
import type { Gateway } from './gateway.ts'

/** The log's message when draining begins. */
export const DRAINING = 'draining: requests under way may finish; a second signal ends them'

/** The dependencies of a graceful end. */
export interface Ending {
  readonly gateway: Gateway
  readonly log: Log
  readonly settle: OpenLog['settle']
}

/**
 * Lets the requests under way finish, writes the last lines of the log, and exits. Calls `onStopped` with whether all came to their
 * own end.
 */
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
 * Makes SIGTERM and SIGINT end a server gracefully; a second signal ends it at once.
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

/** Signals by which other servers reopen their logs or restart; each would end a process that does not handle it. */
const FOREIGN_SIGNALS = ['SIGUSR1', 'SIGUSR2'] as const

/**
 * Keeps SIGHUP, and the signals by which other servers reopen their logs or restart, from ending the process. To be called first for a
 * command that serves: before it listens there is nothing to reload, and a file that changes meanwhile is noticed later.
 *
 * @example
 * ignoreHangUp()
 */
export function ignoreHangUp(): void {
  for (const signal of ['SIGHUP', ...FOREIGN_SIGNALS] as const) process.on(signal, () => undefined)
}
