import type { Log } from '../telemetry/log.ts'
import type { ExtensionLog, LogLine } from './extension.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/**
 * A log whose lines carry the same fields; what an extension gives can't take their place.
 *
 * @example
 * const own = extensionLog(log, { extension: 'hello', request_id: exchange.id })
 */
export function extensionLog(log: Log, fixed: { readonly [name: string]: unknown }): ExtensionLog {
  const [debug, info, warn, error] = LEVELS.map((level): LogLine => {
    return (first: unknown, message?: string) => {
      if (typeof first === 'string') log[level](fixed, first)
      else log[level]({ ...(first as object), ...fixed }, message ?? '')
    }
  }) as [LogLine, LogLine, LogLine, LogLine]
  return { debug, info, warn, error }
}
