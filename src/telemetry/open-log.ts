import pino, { type Logger } from 'pino'
import pretty from 'pino-pretty'

/** The process's log, and the way to get its last lines out. */
export interface OpenLog {
  readonly log: Logger
  /** Writes what is still held back; call it before the process ends. */
  readonly flush: () => void
}

/** Lines are held back for so long, so that a busy server writes many at once. */
const FLUSH_MS = 100
const BUFFER_BYTES = 8 * 1024

/**
 * Opens the log on standard output: a JSON line an event, or a readable one for a person.
 *
 * @example
 * const { log, flush } = openLog({ level: 'info', format: 'json' })
 */
export function openLog(options: { readonly level: string; readonly format: 'json' | 'pretty' }): OpenLog {
  const settings = { level: options.level, timestamp: pino.stdTimeFunctions.isoTime, base: null }
  if (options.format === 'pretty') {
    const stream = pretty({ colorize: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', sync: true })
    return { log: pino(settings, stream), flush: () => undefined }
  }
  const destination = pino.destination({ dest: 1, sync: false, minLength: BUFFER_BYTES, periodicFlush: FLUSH_MS })
  return { log: pino(settings, destination), flush: () => destination.flushSync() }
}
