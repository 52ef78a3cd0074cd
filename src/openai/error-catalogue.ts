import { ADMINISTRATION_ERRORS } from './administration-errors.ts'
import { BODY_ERRORS } from './body-errors.ts'
import { CALLER_ERRORS } from './caller-errors.ts'
import type { ErrorEntry } from './error-entry.ts'
import { GATEWAY_ERRORS } from './gateway-errors.ts'
import { LEDGER_ERRORS } from './ledger-errors.ts'

/**
 * Every error that NexCode itself answers with. Rows with OpenAI's wording are OpenAI's own bodies;
 * the others are ours in the same shape, and their `code` says whose fault it was.
 */
export const ERROR_CATALOGUE = {
  ...BODY_ERRORS,
  ...CALLER_ERRORS,
  ...GATEWAY_ERRORS,
  ...LEDGER_ERRORS,
  ...ADMINISTRATION_ERRORS,
} as const satisfies Record<string, ErrorEntry>

// The rows are frozen because extensions can see them.
for (const row of Object.values(ERROR_CATALOGUE)) Object.freeze(row)

/** The name of a row of the catalogue. */
export type ErrorKind = keyof typeof ERROR_CATALOGUE
