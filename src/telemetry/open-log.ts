import pino, { type Logger } from 'pino'
import pretty from 'pino-pretty'
import { describeError } from './describe-error.ts'
import type { Log } from './log.ts'

/** The process's log, and the way to get its last lines out. */
export interface OpenLog {
  readonly log: Log
  /** Writes what is still held back, at once; for a process that ends at once. */
  readonly flush: () => void
  /** Resolves when all lines are written, or their reader has not taken them for a while; call it before the end. */
  readonly settle: () => Promise<void>
}

/** Lines are held back for so long, so that a busy server writes many at once. */
const FLUSH_MS = 100
const BUFFER_BYTES = 64 * 1024
/** What is written to a pipe at once in one piece, whoever else writes to it (PIPE_BUF; POSIX, write). */
const PIPE_BYTES = 4096
/** How long a slow reader of the last lines is waited for. */
const SETTLE_MS = 5_000

/** How the log is written. */
export interface LogOptions {
  readonly level: string
  readonly format: 'json' | 'pretty'
  /** The number of this process among those that write to the same log; each of its lines carries it. */
  readonly worker?: number
}

/**
 * Opens the log on standard output: a JSON line an event, or a readable one for a person.
 *
 * @example
 * const { log, flush, settle } = openLog({ level: 'info', format: 'json' })
 */
export function openLog(options: LogOptions): OpenLog {
  const settings = {
    level: options.level,
    timestamp: pino.stdTimeFunctions.isoTime,
    base: options.worker === undefined ? null : { worker: options.worker },
    serializers: { err: describeError },
  }
  if (options.format === 'pretty') {
    const stream = pretty({ colorize: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', sync: true })
    return { log: pino(settings, stream), flush: () => undefined, settle: () => Promise.resolve() }
  }
  // Whole lines, and no more than goes out in one piece: another worker's would come between the halves of one.
  const sizes =
    options.worker === undefined
      ? { minLength: BUFFER_BYTES, maxWrite: 2 * BUFFER_BYTES }
      : { minLength: PIPE_BYTES - 512, maxWrite: PIPE_BYTES }
  const destination = pino.destination({ dest: 1, sync: false, ...sizes, periodicFlush: FLUSH_MS })
  const log = pino(settings, destination)
  return {
    log: withLines(log, settings.base, (line) => destination.write(line)),
    flush: () => destination.flushSync(),
    // What is being written in the background is no longer in the hands of a flush at once.
    settle: () =>
      new Promise((resolve) => {
        setTimeout(resolve, SETTLE_MS)
        destination.flush(() => resolve())
      }),
  }
}

/** pino walks through every field and its serializers; the runtime's own JSON writer takes a tenth of that. */
function withLines(log: Logger, base: object | null, write: (line: string) => void): Log {
  const { info, warn } = log.levels.values
  return {
    debug: log.debug.bind(log),
    info: log.info.bind(log),
    warn: log.warn.bind(log),
    error: log.error.bind(log),
    fatal: log.fatal.bind(log),
    line(level, fields, message) {
      if (!log.isLevelEnabled(level)) return
      const text = JSON.stringify({ ...base, ...fields, msg: message })
      write(`{"level":${level === 'info' ? info : warn}${pino.stdTimeFunctions.isoTime()},${text.slice(1)}\n`)
    },
  }
}
