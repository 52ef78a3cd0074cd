import pino, { type Logger } from 'pino'
import pretty from 'pino-pretty'
import { describeError } from './describe-error.ts'

/** The process's log, and the way to get its last lines out. */
export interface OpenLog {
  readonly log: Logger
  /** Writes what is still held back, at once; for a process that ends at once. */
  readonly flush: () => void
  /** Resolves when all lines are written, or their reader has not taken them for a while; call it before the end. */
  readonly settle: () => Promise<void>
}

/** Lines are held back for so long, so that a busy server writes many at once. */
const FLUSH_MS = 100
const BUFFER_BYTES = 8 * 1024
/** How long a slow reader of the last lines is waited for. */
const SETTLE_MS = 5_000

/**
 * Opens the log on standard output: a JSON line an event, or a readable one for a person.
 *
 * @example
 * const { log, flush, settle } = openLog({ level: 'info', format: 'json' })
 */
export function openLog(options: { readonly level: string; readonly format: 'json' | 'pretty' }): OpenLog {
  const settings = {
    level: options.level,
    timestamp: pino.stdTimeFunctions.isoTime,
    base: null,
    serializers: { err: describeError },
  }
  if (options.format === 'pretty') {
    const stream = pretty({ colorize: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', sync: true })
    return { log: pino(settings, stream), flush: () => undefined, settle: () => Promise.resolve() }
  }
  const destination = pino.destination({ dest: 1, sync: false, minLength: BUFFER_BYTES, periodicFlush: FLUSH_MS })
  return {
    log: pino(settings, destination),
    flush: () => destination.flushSync(),
    // What is being written in the background is no longer in the hands of a flush at once.
    settle: () =>
      new Promise((resolve) => {
        setTimeout(resolve, SETTLE_MS)
        destination.flush(() => resolve())
      }),
  }
}
