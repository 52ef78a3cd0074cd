import pretty from 'pino-pretty'
import type { LogSink } from './open-log.ts'

/**
 * Opens a sink that makes of each JSON line a readable one for a person, on standard output, at once.
 *
 * @example
 * const { log } = openLog({ level: 'info', sink: openPrettySink() })
 */
export function openPrettySink(): LogSink {
  const stream = pretty({ colorize: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', sync: true })
  return {
    write: (line) => void stream.write(line),
    flush: () => undefined,
    settle: () => Promise.resolve(),
  }
}
