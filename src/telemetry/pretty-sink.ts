import type { LogSink } from './open-log.ts'
import { createPrettyLine, type PrettyOptions } from './pretty-line.ts'

/**
 * Makes of a sink one that takes JSON lines, and writes for each what a person reads.
 *
 * @example
 * const { log } = openLog({ level: 'info', sink: prettySink(lines, { hasColor: true, isDetailed: false }) })
 */
export function prettySink({ write, flush, settle }: LogSink, options: PrettyOptions): LogSink {
  const render = createPrettyLine(options)
  return { write: (line) => write(render(line)), flush, settle }
}
