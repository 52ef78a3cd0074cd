import type { Log } from '../telemetry/log.ts'
import { type LogOptions, type OpenLog, openLog } from '../telemetry/open-log.ts'
import { createLineSink } from './line-sink.ts'

const STDOUT = 1
const PIECE_BYTES = 64 * 1024
/** The size up to which a write to a pipe stays in one piece, also with other writers (PIPE_BUF; POSIX, write). */
const SHARED_PIECE_BYTES = 4096

/** The levels at which the lines for a person show all fields. */
const DETAILED_LEVELS: ReadonlySet<string> = new Set(['trace', 'debug'])

/** How this process writes its log. */
export interface ProcessLogOptions extends Omit<LogOptions, 'sink'> {
  readonly format: 'json' | 'pretty'
}

/**
 * Opens the log of this process on standard output. When several processes write to it, pieces are so small that no line of another
 * process can come between. The code that formats lines for a person is loaded only for that format.
 *
 * @example
 * const { log, flush, settle } = await openProcessLog(config.log)
 */
export async function openProcessLog({ format, ...options }: ProcessLogOptions): Promise<OpenLog> {
  const pieceBytes = options.worker === undefined ? PIECE_BYTES : SHARED_PIECE_BYTES
  const sink = createLineSink({ fd: STDOUT, pieceBytes })
  if (format === 'json') return openLog({ ...options, sink })
  const [{ prettySink }, { wantsColor }] = await Promise.all([
    import('../telemetry/pretty-line.ts'),
    import('../telemetry/paint.ts'),
  ])
  const hasColor = wantsColor({ isTerminal: process.stdout.isTTY === true, env: process.env })
  const isDetailed = DETAILED_LEVELS.has(options.level)
  return openLog({ ...options, sink: prettySink(sink, { hasColor, isDetailed }) })
}

/**
 * Keeps uncaught errors from ending the process: each is a defect, and is logged, and other requests go on. Flushes the log at the
 * exit.
 */
export function surviveDefects(log: Log, flush: () => void): void {
  process.on('unhandledRejection', (cause) => log.error({ err: cause }, 'unhandled rejection'))
  process.on('uncaughtException', (cause) => log.error({ err: cause }, 'uncaught exception'))
  process.on('exit', flush)
}
