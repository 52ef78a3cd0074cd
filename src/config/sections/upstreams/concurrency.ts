import { Type } from '@sinclair/typebox'
import { closed, duration, type FieldValues, optional, required, writeDuration } from '../../file/schema/fields.ts'

/** How many calls an upstream gets at once, and how many more wait. */
export interface ConcurrencySettings {
  readonly max: number
  /** How many may wait. */
  readonly queue: number
  /** How long one waits; 0: no limit. */
  readonly queueMs: number
}

/** The queue of a file that limits the calls at once, without details. */
const QUEUE_DEFAULTS: Omit<ConcurrencySettings, 'max'> = { queue: 0, queueMs: 10_000 }

const ConcurrencySection = closed('concurrency', {
  max: required(Type.Integer({ minimum: 1, maximum: 65_535 }), 'Calls that the upstream gets at once.', {
    examples: [4],
  }),
  queue: optional(Type.Integer({ minimum: 0, maximum: 65_535 }), 'How many more may wait.', {
    default: QUEUE_DEFAULTS.queue,
  }),
  queue_timeout: optional(duration(), 'How long one waits; 0: no limit.', {
    default: writeDuration(QUEUE_DEFAULTS.queueMs),
  }),
})

/** `concurrency` of an upstream. */
export const CONCURRENCY_FIELDS = {
  concurrency: optional(ConcurrencySection, 'How many calls it gets at once.', { 'x-default': 'no limit' }),
}

/** How many calls an upstream gets at once; undefined: no limit. */
export function concurrencyFromFile({
  concurrency,
}: FieldValues<typeof CONCURRENCY_FIELDS>): ConcurrencySettings | undefined {
  if (concurrency === undefined) return undefined
  const { max, queue = QUEUE_DEFAULTS.queue, queue_timeout: queueMs = QUEUE_DEFAULTS.queueMs } = concurrency
  return { max, queue, queueMs }
}
