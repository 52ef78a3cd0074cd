import type { CallerLimits } from '../metering/caller-limits.ts'
import { modelNotFound } from '../openai/model-not-found.ts'
import type { Generation } from './generation.ts'

/** The settings as they hold for a caller, and what they were made of. */
interface Limited {
  readonly of: Generation
  readonly generation: Generation
}

const made = new WeakMap<CallerLimits, Limited>()

/**
 * The settings in force as they hold for a caller with limits of its own: where these go by the model, requests are read so that the model
 * is certain, and where they restrict models or money, or rate one model, a request whose model can't be told is refused.
 *
 * @example
 * const generation = limitedGeneration(inForce, limits)
 */
export function limitedGeneration(generation: Generation, limits: CallerLimits): Generation {
  if (!limits.needsModel) return generation
  const known = made.get(limits)
  if (known !== undefined && known.of === generation) return known.generation
  const limited = goesByModel(limits) ? strictFor(generation, limits) : reading(generation)
  made.set(limits, { of: generation, generation: limited })
  return limited
}

/** Whether it matters which model a call asks for: a rate of one model would not hold for a call whose model is not known. */
function goesByModel({ restrictsModels, hasBudget, holders }: CallerLimits): boolean {
  const hasModelRate = holders.some(({ limits: { rates } }) => rates.some(({ model }) => model !== '*'))
  return restrictsModels || hasBudget || hasModelRate
}

function reading(generation: Generation): Generation {
  return { ...generation, needsModel: true, readsBodies: true }
}

function strictFor(generation: Generation, limits: CallerLimits): Generation {
  return {
    ...generation,
    settings: { ...generation.settings, unknownModels: 'refuse' },
    needsModel: true,
    modelsDecide: true,
    restricts: true,
    takesDefaults: generation.settings.unknownModels !== 'refuse',
    readsBodies: true,
    assertPermitted(model) {
      if (!limits.permitsModel(model)) throw modelNotFound(model)
    },
  }
}
