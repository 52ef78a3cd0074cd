import { Type } from '@sinclair/typebox'
import { closed, type FieldValues, mapOf, optional, required, texts, words } from '../file/schema/fields.ts'

const MODES = ['allow_list', 'deny_list'] as const

/** The limits of a project or a key as the file has them. */
export interface UseLimits {
  /** The most that may be spent in each calendar window, in nano-dollars. */
  readonly spend: { readonly day?: number; readonly week?: number; readonly month?: number; readonly total?: number }
  readonly rates: readonly ModelRates[]
  readonly models?: { readonly mode: (typeof MODES)[number]; readonly models: readonly string[] }
  readonly endpoints?: readonly string[]
  readonly concurrency?: number
}

/** The limits on calls to a model; `model`: a name with wildcards. */
export interface ModelRates {
  readonly model: string
  readonly requestsPerMinute?: number
  readonly tokensPerMinute?: number
  readonly requestsPerDay?: number
  readonly imagesPerMinute?: number
}

const NANO = 1_000_000_000
/** As many nano-dollars are counted exactly. */
const DOLLARS_MAX = 9_000_000

const dollars = (window: string) =>
  optional(Type.Number({ minimum: 0, maximum: DOLLARS_MAX }), `The most in ${window}, in dollars.`, { examples: [50] })
const count = (what: string) =>
  optional(Type.Integer({ minimum: 0, maximum: 2_000_000_000 }), what, { 'x-default': 'no limit' })

const SpendSection = closed('spend_limit', {
  day: dollars('a calendar day of the time zone'),
  week: dollars('a week, from Monday on'),
  month: dollars('a calendar month'),
  total: dollars('all time'),
})

const RatesSection = closed('rates', {
  max_requests_per_1_minute: count('Requests a minute.'),
  max_tokens_per_1_minute: count('Tokens a minute, of prompts and answers together.'),
  max_requests_per_1_day: count('Requests a day.'),
  max_images_per_1_minute: count('Images a minute.'),
})

/** The fields of a project and of a key for what may be used. */
export const USE_LIMITS_FIELDS = {
  spend_limit: optional(SpendSection, 'What may be spent; every limit holds.', { 'x-default': 'no limit' }),
  rate_limits: optional(mapOf(RatesSection), 'How much may be asked for, by the name of the model; * stands for any.', {
    'x-default': 'no limit',
  }),
  model_permissions: optional(
    closed('model_permissions', {
      mode: required(words(MODES), 'Whether the models are those that may be used, or those that may not.', {
        examples: ['allow_list'],
      }),
      model_ids: required(texts(), 'Names of models; * stands for any characters.', { examples: [['gpt-4o*']] }),
    }),
    'Which models may be used.',
    { 'x-default': 'all' },
  ),
  endpoints: optional(texts(), 'The endpoints that may be called, as they stand behind /v1/; * stands for any.', {
    'x-default': 'all; with a spend_limit those that can be metered',
    examples: [['chat/completions', 'embeddings']],
  }),
  concurrency: optional(Type.Integer({ minimum: 1, maximum: 65_535 }), 'Calls under way at once.', {
    'x-default': 'no limit',
  }),
}

/** What may be used, by the file. */
export function useLimitsFromFile(part: FieldValues<typeof USE_LIMITS_FIELDS>): UseLimits {
  const { spend_limit: spend = {}, rate_limits: rates = {}, model_permissions: models, endpoints, concurrency } = part
  return {
    spend: Object.fromEntries(Object.entries(spend).map(([window, amount]) => [window, Math.round(amount * NANO)])),
    rates: Object.entries(rates).map(([model, one]) => ratesOf(model, one)),
    ...(models !== undefined && { models: { mode: models.mode, models: models.model_ids } }),
    ...(endpoints !== undefined && { endpoints }),
    ...(concurrency !== undefined && { concurrency }),
  }
}

function ratesOf(model: string, written: (typeof RatesSection)['static']): ModelRates {
  const {
    max_requests_per_1_minute: requestsPerMinute,
    max_tokens_per_1_minute: tokensPerMinute,
    max_requests_per_1_day: requestsPerDay,
    max_images_per_1_minute: imagesPerMinute,
  } = written
  return {
    model,
    ...(requestsPerMinute !== undefined && { requestsPerMinute }),
    ...(tokensPerMinute !== undefined && { tokensPerMinute }),
    ...(requestsPerDay !== undefined && { requestsPerDay }),
    ...(imagesPerMinute !== undefined && { imagesPerMinute }),
  }
}
