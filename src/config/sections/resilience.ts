import { type FieldValues, optional, words } from '../file/schema/fields.ts'
import type { SectionReader } from '../file/section-reader.ts'
import { type HEDGE_FIELDS, type HedgeSettings, hedgeFromFile } from './hedge.ts'
import { NO_RETRY, RETRY_DEFAULTS, type RETRY_FIELDS, type RetrySettings, retryFromFile } from './retry.ts'
import { NO_TIMEOUTS, type Timeouts } from './timeouts.ts'

const ALL_OPEN = ['try', 'refuse'] as const

/** The help for a request that fails or is slow: repeats, a second target, time limits. */
export interface ResilienceSettings {
  readonly retry: RetrySettings
  readonly hedge: HedgeSettings | undefined
  readonly timeouts: Timeouts
  /** The choice where all breakers are open: to try the least bad target, or to refuse the request (503 with `Retry-After`). */
  readonly allOpen: (typeof ALL_OPEN)[number]
}

/** The resilience of a file without settings for it. */
export const RESILIENCE_DEFAULTS: ResilienceSettings = {
  retry: RETRY_DEFAULTS,
  hedge: undefined,
  // A limit of the top level is every upstream's, unless that has its own: here, it would go before those.
  timeouts: NO_TIMEOUTS,
  allOpen: 'try',
}

/** The resilience without a file: each request goes upstream once, as it came. */
export const NO_RESILIENCE: ResilienceSettings = { ...RESILIENCE_DEFAULTS, retry: NO_RETRY }

/** `all_open`, as it stands at the top level and with a model. */
export const AllOpen = words(ALL_OPEN)

/** `all_open` at the top level of the file. */
export const ALL_OPEN_FIELDS = {
  all_open: optional(AllOpen, 'Where all breakers are open: the least bad target is tried, or the request refused.', {
    default: RESILIENCE_DEFAULTS.allOpen,
  }),
}

/** The fields of one scope of the file (the top level, or a model) for requests that fail or are slow. */
type ResilienceFields = FieldValues<typeof RETRY_FIELDS & typeof HEDGE_FIELDS & typeof ALL_OPEN_FIELDS>

/** Reads the resilience of one scope of the file, without its time limits; settings that it leaves out are the `wider` scope's. */
export function resilienceFromFile(
  reader: SectionReader,
  fields: ResilienceFields,
  wider: ResilienceSettings,
): Omit<ResilienceSettings, 'timeouts'> {
  return {
    retry: retryFromFile(reader, fields, wider.retry),
    hedge: hedgeFromFile(fields, wider.hedge),
    allOpen: fields.all_open ?? wider.allOpen,
  }
}
