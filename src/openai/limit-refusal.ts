import { ApiError } from './api-error.ts'
import type { ErrorKind } from './error-catalogue.ts'

/** The errors by which a caller's own limits refuse its call. */
const KINDS: ReadonlySet<ErrorKind> = new Set<ErrorKind>([
  'rate_limited',
  'exceeds_limit',
  'spend_limit_reached',
  'model_not_priced',
  'limits_unavailable',
])

/**
 * Whether an error is a refusal by a caller's own limits, which say nothing about another caller's call.
 *
 * @example
 * if (isLimitRefusal(thrown)) askAgain()
 */
export function isLimitRefusal(thrown: unknown): boolean {
  return thrown instanceof ApiError && KINDS.has(thrown.kind)
}
