import { Type } from '@sinclair/typebox'
import { closed, duration, type FieldValues, optional, orFalse, writeDuration } from '../file/schema/fields.ts'

/** The settings of hedging: a second target is asked before the first has failed. */
export interface HedgeSettings {
  /** The percentile of the target's recent times to first byte after which the second is asked (1 to 99). */
  readonly percentile: number
  /** The earliest time at which the second is asked. */
  readonly minMs: number
  /** Hedges in percent of the requests under way (at least 1 at once). */
  readonly budgetPercent: number
}

/** The hedging of a file that switches it on without details. */
const HEDGE_DEFAULTS: HedgeSettings = { percentile: 95, minMs: 100, budgetPercent: 5 }

/** `hedge`, as it stands at the top level and with a model; `false`: never. */
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

/** `hedge` at the top level of the file. */
export const HEDGE_FIELDS = {
  hedge: optional(HedgeSection, 'When a second target is asked although the first has not failed; false: never.', {
    'x-default': 'off',
  }),
}

/** The hedging of one scope of the file; the `wider` scope's where it has none. undefined: no hedging. */
export function hedgeFromFile(
  { hedge: section }: FieldValues<typeof HEDGE_FIELDS>,
  wider: HedgeSettings | undefined,
): HedgeSettings | undefined {
  if (section === undefined) return wider
  if (section === false) return undefined
  const { percentile, minMs, budgetPercent } = wider ?? HEDGE_DEFAULTS
  return {
    percentile: section.percentile ?? percentile,
    minMs: section.min ?? minMs,
    budgetPercent: section.budget ?? budgetPercent,
  }
}
