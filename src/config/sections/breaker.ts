import { Type } from '@sinclair/typebox'
import { closed, duration, type FieldValues, optional, orFalse, writeDuration } from '../file/schema/fields.ts'
import type { SectionReader } from '../file/section-reader.ts'

/** The settings of a circuit breaker. */
export interface BreakerSettings {
  /** The failures in a row that open it; 0: it never opens for that. */
  readonly failures: number
  /** Share of failures (0 to 1) within `windowMs`, where there were at least `minimum` calls; 0: it never opens for that. */
  readonly rate: number
  readonly minimum: number
  readonly windowMs: number
  /** Times the number of openings in a row, at most `openMaxMs`. */
  readonly openMs: number
  readonly openMaxMs: number
}

/** The breakers of a file without settings for them. */
export const BREAKER_DEFAULTS: BreakerSettings = {
  failures: 5,
  rate: 0.5,
  minimum: 20,
  windowMs: 30_000,
  openMs: 30_000,
  openMaxMs: 300_000,
}

/** A breaker that never opens: that of the environment's upstream. */
export const NEVER_OPEN: BreakerSettings = neverOpen(BREAKER_DEFAULTS)

/** `breaker`, as it stands at the top level and with an upstream; `false`: it never opens. */
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

/** `breaker` at the top level of the file. */
export const BREAKER_FIELDS = {
  breaker: optional(BreakerSection, 'When a target is left alone for a while; false: never.'),
}

/** Reads the breaker of one scope of the file; settings that it leaves out are the `wider` scope's. Reports an `open` above `open_max`. */
export function breakerFromFile(
  reader: SectionReader,
  { breaker: section }: FieldValues<typeof BREAKER_FIELDS>,
  wider: BreakerSettings,
): BreakerSettings {
  if (section === false) return neverOpen(wider)
  const settings: BreakerSettings = {
    failures: section?.failures ?? wider.failures,
    rate: section?.rate ?? wider.rate,
    minimum: section?.minimum ?? wider.minimum,
    windowMs: section?.window ?? wider.windowMs,
    openMs: section?.open ?? wider.openMs,
    openMaxMs: section?.open_max ?? wider.openMaxMs,
  }
  const isSaidHere = section?.open !== undefined || section?.open_max !== undefined
  if (isSaidHere && settings.openMs > settings.openMaxMs) {
    const fault = { wrong: 'has an open longer than its open_max', cure: 'Set open_max to as much, or more.' }
    reader.at('breaker').report(fault, 'key')
  }
  return settings
}

function neverOpen(settings: BreakerSettings): BreakerSettings {
  return { ...settings, failures: 0, rate: 0 }
}
