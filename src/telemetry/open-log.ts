import pino, { type Logger } from 'pino'
import { describeError } from './describe-error.ts'
import type { Log } from './log.ts'

/** The process's log, and the way to get its last lines out. */
export interface OpenLog {
  readonly log: Log
  /** Writes all lines that are held back, at once: for a process that is about to end. */
  readonly flush: () => void
  /** Resolves when all lines are written, or their reader has not taken them for a while; call it before the end. */
  readonly settle: () => Promise<void>
}

/** How the log is written. */
export interface LogOptions {
  readonly level: string
  /** The number of this process among those that write to the same log; each of its lines carries it. */
  readonly worker?: number
  /** Where the JSON lines go. */
  readonly sink: LogSink
}

/** The place that a log's lines go to; the edge has one for standard output. */
export interface LogSink extends Pick<OpenLog, 'flush' | 'settle'> {
  /** Takes one line, its line feed included. */
  readonly write: (line: string) => void
}

/**
 * Opens the log: a JSON line an event.
 *
 * @example
 * const { log, flush, settle } = openLog({ level: 'info', sink })
 */
export function openLog(options: LogOptions): OpenLog {
  const settings = {
    level: options.level,
    timestamp: pino.stdTimeFunctions.isoTime,
    base: options.worker === undefined ? null : { worker: options.worker },
    serializers: { err: describeError },
  }
  const { sink } = options
  return { log: withLines(pino(settings, sink), settings.base, sink), flush: sink.flush, settle: sink.settle }
}

/** pino walks through every field and its serializers; the runtime's own JSON writer takes a tenth of that. */
function withLines(log: Logger, base: object | null, { write }: LogSink): Log {
  const fixed = base === null ? '' : `${JSON.stringify(base).slice(1, -1)},`
  return {
    debug: log.debug.bind(log),
    info: log.info.bind(log),
    warn: log.warn.bind(log),
    error: log.error.bind(log),
    fatal: log.fatal.bind(log),
    line(level, fields, message) {
      if (!log.isLevelEnabled(level)) return
      const text = JSON.stringify(fields).slice(1, -1)
      write(
        `{"level":${log.levels.values[level]},"time":"${isoTime(Date.now())}",${fixed}${text},"msg":"${message}"}\n`,
      )
    },
  }
}

let second = 0
let untilSecond = ''

/** Writes a time in ms as ISO 8601 does; all but the milliseconds is made once a second. */
function isoTime(ms: number): string {
  const now = Math.floor(ms / 1000)
  if (now !== second) {
    second = now
    untilSecond = new Date(now * 1000).toISOString().slice(0, -'000Z'.length)
  }
  return `${untilSecond}${String(ms % 1000).padStart(3, '0')}Z`
}
