import { Type } from '@sinclair/typebox'
import { closed, optional, required, text, words } from './fields.ts'
import { HedgeSection, RetrySection, TimeoutsSection } from './resilience.ts'

/** Whether the name of the upstream's model is reported, or the caller's. */
export const ReportModel = words(['upstream', 'alias'])

/** What becomes of a request where all targets are left alone. */
export const AllOpen = words(['try', 'refuse'])

const TargetEntry = closed('target', {
  upstream: required(text(), 'The name of an upstream.', { examples: ['openai'] }),
  model: optional(text(), "The upstream's name for the model, where * is what the name's * stood for.", {
    'x-default': 'as the caller wrote it',
    examples: ['gpt-4o'],
  }),
  weight: optional(Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000 }), 'Its share of the requests.', {
    default: 1,
  }),
  order: optional(Type.Integer({ minimum: 0, maximum: 1_000_000 }), 'Targets with a lower one are tried first.', {
    'x-default': 'its place with the strategy order, else 0',
  }),
})

/** One entry of `models`. */
export const ModelEntry = closed('model', {
  targets: required(Type.Array(TargetEntry, { minItems: 1 }), 'What answers for the name.', {
    examples: [[{ upstream: 'openai', model: 'gpt-4o' }]],
  }),
  strategy: optional(
    words(['order', 'weighted', 'round_robin', 'least_busy', 'affinity']),
    'How the target that is tried first is chosen; the others follow as fallbacks.',
    { 'x-default': 'weighted where a target has a weight, else order' },
  ),
  report_model: optional(
    ReportModel,
    "Whether an answer names the upstream's model, or the name that the caller used.",
    {
      'x-default': "the top level's",
    },
  ),
  retry: optional(RetrySection, "When a failed attempt is followed by another; what is not said is the top level's."),
  hedge: optional(HedgeSection, "When a second target is asked; what is not said is the top level's."),
  timeouts: optional(TimeoutsSection, "Time limits of its calls; what is not said is the upstream's."),
  all_open: optional(AllOpen, 'Where all breakers are open: the least bad target is tried, or the request refused.', {
    'x-default': "the top level's",
  }),
})
