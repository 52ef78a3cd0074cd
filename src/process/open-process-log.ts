import { type LogOptions, type OpenLog, openLog } from '../telemetry/open-log.ts'
import { createLineSink } from './line-sink.ts'

const STDOUT = 1
const PIECE_BYTES = 64 * 1024
/** What is written to a pipe at once in one piece, whoever else writes to it (PIPE_BUF; POSIX, write). */
const SHARED_PIECE_BYTES = 4096

/** At these levels a person wants to see all that is known. */
const DETAILED_LEVELS: ReadonlySet<string> = new Set(['trace', 'debug'])

/** How this process writes its log. */
export interface ProcessLogOptions extends Omit<LogOptions, 'sink'> {
  readonly format: 'json' | 'pretty'
}

/**
 * Opens the log of this process on standard output. Where several processes write to it, only pieces go out that no
 * line of another one can come between. What a person's lines need is loaded for a person only.
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
