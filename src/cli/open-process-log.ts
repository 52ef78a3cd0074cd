import { type LogOptions, type OpenLog, openLog } from '../telemetry/open-log.ts'
import { createLineSink } from './line-sink.ts'

const STDOUT = 1
const PIECE_BYTES = 64 * 1024
/** What is written to a pipe at once in one piece, whoever else writes to it (PIPE_BUF; POSIX, write). */
const SHARED_PIECE_BYTES = 4096

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
  if (format === 'pretty') {
    const { openPrettySink } = await import('../telemetry/pretty-sink.ts')
    return openLog({ ...options, sink: openPrettySink() })
  }
  const pieceBytes = options.worker === undefined ? PIECE_BYTES : SHARED_PIECE_BYTES
  return openLog({ ...options, sink: createLineSink({ fd: STDOUT, pieceBytes }) })
}
