import type { Logger } from 'pino'

/** The log as the rest of the code sees it: pino's methods, with fields first and a message behind. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'>
