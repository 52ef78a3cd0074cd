import { Type } from '@sinclair/typebox'
import { closed, duration, type FieldValues, optional, words, writeDuration } from '../file/schema/fields.ts'
import type { SectionReader } from '../file/section-reader.ts'

/** The settings of retries. */
export interface RetrySettings {
  /** All attempts of one request together, the first among them; 1: no other. */
  readonly attempts: number
  /** Failures that are followed by another attempt. */
  readonly on: readonly RetryCause[]
  /** Back-off before the same target is asked again: a random time up to `baseMs` · 2ⁿ, at most `maxMs`. */
  readonly baseMs: number
  readonly maxMs: number
  /** A longer `Retry-After` is not waited for. */
  readonly retryAfterMaxMs: number
  /** Repeated attempts at the same target, in percent of the requests under way (at least 3 at once). */
  readonly budgetPercent: number
}

/**
 * Why an attempt failed: `connect` (no byte was sent), `timeout` (no first byte in time), `reset` (broken off before an
 * answer), `invalid` (no API answer), or a status of the upstream's.
 */
export type RetryCause = 'connect' | 'timeout' | 'reset' | 'invalid' | number

/** The retries of a file without settings for them. */
export const RETRY_DEFAULTS: RetrySettings = {
  attempts: 3,
  on: ['connect', 429, 503, 529],
  baseMs: 250,
  maxMs: 8_000,
  retryAfterMaxMs: 10_000,
  budgetPercent: 10,
}

/** No retries: the settings without a file. */
export const NO_RETRY: RetrySettings = {
  attempts: 1,
  on: [],
  baseMs: 0,
  maxMs: 0,
  retryAfterMaxMs: 0,
  budgetPercent: 0,
}

/** All server errors: what `5xx` stands for. */
const SERVER_ERRORS: readonly RetryCause[] = Array.from({ length: 100 }, (_, index) => 500 + index)

const RetryOn = Type.Union([
  words(['connect', 'timeout', 'reset', 'invalid', '5xx']),
  Type.Integer({ minimum: 400, maximum: 599 }),
])

/** `retry`, as it stands at the top level and with a model. */
export const RetrySection = closed('retry', {
  attempts: optional(
    Type.Integer({ minimum: 1, maximum: 10 }),
    'All attempts of one request together, the first among them; 1: no other.',
    { default: RETRY_DEFAULTS.attempts },
  ),
  on: optional(
    Type.Array(RetryOn),
    'What is followed by another attempt: no connection, no first byte in time, an answer broken off before it began, no API answer, or a status; 5xx is all from 500 to 599.',
    { default: RETRY_DEFAULTS.on },
  ),
  base: optional(
    duration(),
    'Back-off before the same target is asked again: a random time up to this, doubled with each repetition.',
    { default: writeDuration(RETRY_DEFAULTS.baseMs) },
  ),
  max: optional(duration(), 'Longest back-off.', { default: writeDuration(RETRY_DEFAULTS.maxMs) }),
  retry_after_max: optional(duration(), 'A Retry-After that is longer is not waited for.', {
    default: writeDuration(RETRY_DEFAULTS.retryAfterMaxMs),
  }),
  budget: optional(
    Type.Number({ minimum: 0, maximum: 100 }),
    'Repeated attempts at the same target, in percent of the requests under way.',
    { default: RETRY_DEFAULTS.budgetPercent },
  ),
})

/** `retry` at the top level of the file. */
export const RETRY_FIELDS = { retry: optional(RetrySection, 'When a failed attempt is followed by another.') }

/** Reads the retries of one scope of the file; settings that it leaves out are the `wider` scope's. Reports a `base` above `max`. */
export function retryFromFile(
  reader: SectionReader,
  { retry: section }: FieldValues<typeof RETRY_FIELDS>,
  wider: RetrySettings,
): RetrySettings {
  const on = section?.on?.flatMap((cause): readonly RetryCause[] => (cause === '5xx' ? SERVER_ERRORS : [cause]))
  const settings: RetrySettings = {
    attempts: section?.attempts ?? wider.attempts,
    on: on === undefined ? wider.on : [...new Set(on)],
    baseMs: section?.base ?? wider.baseMs,
    maxMs: section?.max ?? wider.maxMs,
    retryAfterMaxMs: section?.retry_after_max ?? wider.retryAfterMaxMs,
    budgetPercent: section?.budget ?? wider.budgetPercent,
  }
  const isSaidHere = section?.base !== undefined || section?.max !== undefined
  if (isSaidHere && settings.baseMs > settings.maxMs) {
    const fault = { wrong: 'has a base longer than its max', cure: 'Set max to as much, or more.' }
    reader.at('retry').report(fault, 'key')
  }
  return settings
}
