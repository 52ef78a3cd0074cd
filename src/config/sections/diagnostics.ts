import { Type } from '@sinclair/typebox'
import { type EnvReader, row } from '../env-reader.ts'
import { type FieldValues, optional } from '../file/schema/fields.ts'
import { boolean, choice } from '../scalar-kinds.ts'

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
const LOG_FORMATS = ['json', 'pretty'] as const

/** One level of the log (pino's, and `silent`), from the most to the least talkative. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** One form of a log line. */
export type LogFormat = (typeof LOG_FORMATS)[number]

/** The log's level and form. */
export interface LogSettings {
  readonly level: LogLevel
  readonly format: LogFormat
}

/** The variables of the log. */
export const LOG_ENV = {
  LOG_LEVEL: row({
    name: 'LOG_LEVEL',
    kind: choice(LOG_LEVELS),
    default: 'info',
    doc: `Least level that is logged: ${LOG_LEVELS.join(', ')}.`,
    example: 'debug',
  }),
  LOG_FORMAT: row({
    name: 'LOG_FORMAT',
    kind: choice(LOG_FORMATS),
    default: undefined,
    defaultNote: 'pretty on a terminal, else json',
    doc: `Form of a log line: ${LOG_FORMATS.join(' or ')}.`,
    example: 'json',
  }),
} as const

/** The variable of the debug headers, which tell how a request was handled. */
export const DEBUG_ENV = {
  DEBUG_HEADERS: row({
    name: 'DEBUG_HEADERS',
    kind: boolean,
    default: false,
    doc: 'Whether responses carry Server-Timing and x-nexcode-* headers.',
    example: 'true',
  }),
} as const

/** `debug_headers` in the file. */
export const DEBUG_FIELDS = {
  debug_headers: optional(Type.Boolean(), 'Whether responses carry Server-Timing and x-nexcode-* headers.', {
    'x-default': 'DEBUG_HEADERS',
  }),
}

/** The log's level and form; the form for a person where `isTerminal`, unless the environment says otherwise. */
export function logFromEnv({ take }: EnvReader, isTerminal: boolean): LogSettings {
  return { level: take(LOG_ENV.LOG_LEVEL), format: take(LOG_ENV.LOG_FORMAT) ?? (isTerminal ? 'pretty' : 'json') }
}

/** Whether responses carry debug headers by the environment alone. */
export function debugHeadersFromEnv({ take }: EnvReader): boolean {
  return take(DEBUG_ENV.DEBUG_HEADERS)
}

/** Whether responses carry debug headers by the file; as the environment says (`base`) where the file does not. */
export function debugHeadersFromFile(
  { debug_headers: written }: FieldValues<typeof DEBUG_FIELDS>,
  base: boolean,
): boolean {
  return written ?? base
}
