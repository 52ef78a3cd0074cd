import type { Log } from '../telemetry/log.ts'

/** No request can end the process: what nobody caught is a defect, goes to the log, and the others go on. */
export function surviveDefects(log: Log, flush: () => void): void {
  process.on('unhandledRejection', (cause) => log.error({ err: cause }, 'unhandled rejection'))
  process.on('uncaughtException', (cause) => log.error({ err: cause }, 'uncaught exception'))
  process.on('exit', flush)
}
