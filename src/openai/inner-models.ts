import { foldName } from '../formats/json/fold-name.ts'
import { type BodyPath, visitMembers } from './inner-members.ts'
import { isModelName, leadsToModels } from './model-names.ts'

/** A model that a body names elsewhere than in its own `model`. */
export interface InnerModel {
  readonly model: string
  /** The place of the model's name: `session.model`, `models[1]`. */
  readonly param: string
}

/** The members that hold the name in an object that stands for a model. */
const NAMING: ReadonlySet<string> = new Set(['id', 'name', 'slug'])
/** The rankers of a store itself, or none. */
const RANKERS = /^(?:auto|none|default[\w.-]*)$/
/**
 * The members in which a search or a reader of documents has engines of its own, which are no models (OpenRouter's plugins and
 * server tools).
 */
const OTHER_ENGINES = /^(?:plugins|tools|web_search_options)\b/
const DEPTH_MAX = 32
/** More names would keep other requests waiting; each counts once. */
const MODELS_MAX = 10_000

/**
 * Gives the models that a body names beside its own, each once: those of a session, a tool, a grader or another call, and
 * fallbacks. Undefined: the body is too deep or too large to tell. `within` is the place of a part of a body.
 *
 * @example
 * const [{ model, param }] = innerModels({ session: { model: 'gpt-realtime' } }) ?? []
 */
export function innerModels(body: unknown, within?: BodyPath): readonly InnerModel[] | undefined {
  const found = new Map<string, InnerModel>()
  let isFew = true
  const isWhole = visitMembers(
    body,
    (name, value, depth, param) => {
      if (!isModelName(name) || (depth === 0 && name === 'model' && typeof value === 'string')) return
      const at = param()
      if (name.startsWith('engine') && OTHER_ENGINES.test(at)) return
      const names = new Set<string>()
      addNames(value, leadsToModels(name), names)
      isFew &&= found.size + names.size <= MODELS_MAX
      if (!isFew) return
      for (const model of names)
        if (!(found.has(model) || (name === 'ranker' && RANKERS.test(model)))) found.set(model, { model, param: at })
    },
    isModelName,
    within,
  )
  return isWhole && isFew ? [...found.values()] : undefined
}

/** Adds the names in a value that stands for one or several models; `isMap`: its members' names are models, too. */
function addNames(value: unknown, isMap: boolean, names: Set<string>, depth = 0): void {
  if (typeof value === 'string') {
    if (value !== '' && names.size <= MODELS_MAX) names.add(value)
    return
  }
  // The names in a deeper value count as unknown.
  if (typeof value !== 'object' || value === null || depth > DEPTH_MAX) return
  if (Array.isArray(value)) {
    for (const one of value as readonly unknown[]) addNames(one, isMap, names, depth + 1)
    return
  }
  for (const [key, inner] of Object.entries(value)) {
    // Some servers take an object with numbers for names as a list.
    if (NAMING.has(key) || (/^\d+$/.test(key) && !isModelName(foldName(key)))) addNames(inner, isMap, names, depth + 1)
    // A member that is named like a model is found by itself.
    else if (isMap && !isModelName(foldName(key)) && (Array.isArray(inner) || typeof inner === 'string')) {
      addNames(key, isMap, names)
      addNames(inner, isMap, names, depth + 1)
    }
  }
}
