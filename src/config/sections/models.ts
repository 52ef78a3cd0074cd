import { type Static, Type } from '@sinclair/typebox'
import { closed, type FieldValues, mapOf, optional, required, text, words } from '../file/schema/fields.ts'
import type { SectionReader } from '../file/section-reader.ts'
import { HedgeSection } from './hedge.ts'
import { AllOpen, type ResilienceSettings, resilienceFromFile } from './resilience.ts'
import { RetrySection } from './retry.ts'
import { TimeoutsSection, timeoutsFromFile } from './timeouts.ts'
import { checkUpstreamName } from './upstreams/upstreams.ts'

const STRATEGIES = ['order', 'weighted', 'round_robin', 'least_busy', 'affinity'] as const
const UNKNOWN_MODELS = ['pass', 'refuse'] as const
const REPORT_MODEL = ['upstream', 'alias'] as const

/** A name that callers use, and the targets behind it. */
export interface ModelSettings {
  /** May hold `*`, which stands for any characters. */
  readonly name: string
  /** At least one. */
  readonly targets: readonly TargetSettings[]
  readonly strategy: Strategy
  readonly resilience: ResilienceSettings
  /** Whether the answer's `model` is the upstream's, byte for byte, or the name that the caller used. */
  readonly reportModel: (typeof REPORT_MODEL)[number]
}

/** How one target out of several is chosen first; the others follow as fallbacks. */
export type Strategy = (typeof STRATEGIES)[number]

/** One upstream's model that answers for a name. */
export interface TargetSettings {
  readonly upstream: string
  /** The upstream's name for it, where `*` stands for the text of the name's first `*`; undefined: as the caller wrote it. */
  readonly model: string | undefined
  readonly weight: number
  /** Lower ones first; those of equal order are chosen among by the strategy. */
  readonly order: number
}

/** Whether a model that no entry of `models` fits is passed on or refused. */
export type UnknownModels = (typeof UNKNOWN_MODELS)[number]

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

const reportModel = (options: object) =>
  optional(
    words(REPORT_MODEL),
    "Whether an answer names the upstream's model, or the name that the caller used.",
    options,
  )

const ModelEntry = closed('model', {
  targets: required(Type.Array(TargetEntry, { minItems: 1 }), 'What answers for the name.', {
    examples: [[{ upstream: 'openai', model: 'gpt-4o' }]],
  }),
  strategy: optional(
    words(STRATEGIES),
    'How the target that is tried first is chosen; the others follow as fallbacks.',
    { 'x-default': 'weighted where a target has a weight, else order' },
  ),
  report_model: reportModel({ 'x-default': "the top level's" }),
  retry: optional(RetrySection, "When a failed attempt is followed by another; what is not said is the top level's."),
  hedge: optional(HedgeSection, "When a second target is asked; what is not said is the top level's."),
  timeouts: optional(TimeoutsSection, "Time limits of its calls; what is not said is the upstream's."),
  all_open: optional(AllOpen, 'Where all breakers are open: the least bad target is tried, or the request refused.', {
    'x-default': "the top level's",
  }),
})

/** `models` in the file. */
export const MODELS_FIELDS = {
  models: optional(mapOf(ModelEntry), 'What stands behind the names that callers use; * is for any characters.', {
    examples: [{ smart: { targets: [{ upstream: 'openai', model: 'gpt-4o' }] } }],
  }),
}

/** The fields at the top level of the file that are about all models. */
export const ALL_MODELS_FIELDS = {
  unknown_models: optional(words(UNKNOWN_MODELS), 'What becomes of a model that no entry of models fits.', {
    default: 'pass',
  }),
  report_model: reportModel({ default: 'upstream' }),
}

/** The values of all fields at the top level of the file that are about models. */
export type ModelsFields = FieldValues<typeof MODELS_FIELDS & typeof ALL_MODELS_FIELDS>

type ModelPart = Static<typeof ModelEntry>

/** The models by the file, in its order; `resilience` is the top level's. Reports all their faults. */
export function modelsFromFile(
  reader: SectionReader,
  fields: ModelsFields,
  resilience: ResilienceSettings,
): readonly ModelSettings[] {
  return Object.entries(fields.models ?? {}).map(([name, part]) => {
    const at = reader.at('models', name)
    checkName(at, name)
    checkTargets(reader, name, part)
    const isWeighted = part.targets.some(({ weight }) => weight !== undefined)
    const strategy = part.strategy ?? (isWeighted ? 'weighted' : 'order')
    return {
      name,
      targets: targetsFromFile(part.targets, strategy === 'order'),
      strategy,
      resilience: { ...resilienceFromFile(at, part, resilience), timeouts: timeoutsFromFile(part) },
      reportModel: part.report_model ?? fields.report_model ?? 'upstream',
    }
  })
}

/** Whether a model that no entry of `models` fits is passed on or refused. Warns where `models` is absent, so that all are refused. */
export function unknownModelsFromFile(reader: SectionReader, { unknown_models: written }: ModelsFields): UnknownModels {
  if (written === 'refuse' && !reader.at('models').isWritten()) {
    reader.at('unknown_models').warn({
      wrong: 'refuses every model, since models names none',
      cure: 'Name those that may be asked for in models, or take it out.',
    })
  }
  return written ?? 'pass'
}

function checkTargets(reader: SectionReader, name: string, { targets }: ModelPart): void {
  for (const target of targets) {
    const at = reader.of(target)
    checkUpstreamName(at.at('upstream'), target.upstream)
    if (target.model?.includes('*') === true && !name.includes('*')) {
      const cure = 'Write the whole name; a * here is what the * of a name such as "gpt-*" stood for.'
      at.at('model').report({ wrong: `has a *, though the model's own name has none`, cure })
    }
  }
}

/** Where one target sets its order, the others have 0; else their order is the file's, where the strategy is `order`. */
function targetsFromFile(targets: ModelPart['targets'], isInFileOrder: boolean): readonly TargetSettings[] {
  const hasOrder = targets.some(({ order }) => order !== undefined)
  return targets.map(({ upstream, model, weight = 1, order }, index) => ({
    upstream,
    model,
    weight,
    order: order ?? (isInFileOrder && !hasOrder ? index : 0),
  }))
}

function checkName(reader: SectionReader, name: string): void {
  if (name === '' || /\p{Cc}/u.test(name)) {
    const cure = 'Write the name that callers use, such as "gpt-4o" or "gpt-*".'
    reader.report({ wrong: 'has a name that no caller can use', cure }, 'key')
  } else if (name.split('*').length > 2) {
    const cure = 'Use one: it stands for any characters, and a target can name only what one of them stood for.'
    reader.report({ wrong: 'has more than one * in its name', cure }, 'key')
  }
}
