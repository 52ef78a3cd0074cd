import { Type } from '@sinclair/typebox'
import { BREAKER_DEFAULTS, HEDGE_DEFAULTS, RETRY_DEFAULTS } from '../resilience-defaults.ts'
import { closed, duration, optional, orFalse, words, writeDuration } from './fields.ts'

/** `timeouts`: time limits of one call. */
export const TimeoutsSection = closed('timeouts', {
  first_byte: optional(duration(), "Wait for the upstream's response headers; 0: no limit.", { examples: ['60s'] }),
  stream_idle: optional(duration(), "Silence in an upstream's answer; 0: no limit.", { examples: ['60s'] }),
  total: optional(duration(), 'Whole exchange, from its first to its last byte; 0: no limit.', { examples: ['120s'] }),
})

const RetryOn = Type.Union([
  words(['connect', 'timeout', 'reset', 'invalid', '5xx']),
  Type.Integer({ minimum: 400, maximum: 599 }),
])

/** `retry`: when a failed attempt is followed by another. */
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

/** `breaker`: when a target is left alone for a while; `false`: never. */
export const BreakerSection = orFalse(
  closed('breaker', {
    failures: optional(
      Type.Integer({ minimum: 0, maximum: 10_000 }),
      'Failures in a row that open it; 0: it does not open for that.',
      { default: BREAKER_DEFAULTS.failures },
    ),
    rate: optional(
      Type.Number({ minimum: 0, maximum: 1 }),
      'Share of failures within the window that opens it; 0: it does not open for that.',
      { default: BREAKER_DEFAULTS.rate },
    ),
    minimum: optional(
      Type.Integer({ minimum: 1, maximum: 1_000_000 }),
      'Calls within the window below which the share says nothing.',
      { default: BREAKER_DEFAULTS.minimum },
    ),
    window: optional(duration(1), 'The time that the share is taken of.', {
      default: writeDuration(BREAKER_DEFAULTS.windowMs),
    }),
    open: optional(duration(1), 'How long it stays open, times the number of openings in a row.', {
      default: writeDuration(BREAKER_DEFAULTS.openMs),
    }),
    open_max: optional(duration(1), 'The longest that it stays open.', {
      default: writeDuration(BREAKER_DEFAULTS.openMaxMs),
    }),
  }),
)

/** `hedge`: when a second target is asked although the first has not failed; `false`: never. */
export const HedgeSection = orFalse(
  closed('hedge', {
    percentile: optional(
      Type.Number({ minimum: 1, maximum: 99 }),
      "Percentile of the target's own recent times to first byte, after which the second is asked.",
      { default: HEDGE_DEFAULTS.percentile },
    ),
    min: optional(duration(), 'The second is never asked before.', { default: writeDuration(HEDGE_DEFAULTS.minMs) }),
    budget: optional(
      Type.Number({ minimum: 0, maximum: 100 }),
      'Second requests in percent of the requests under way.',
      { default: HEDGE_DEFAULTS.budgetPercent },
    ),
  }),
)
