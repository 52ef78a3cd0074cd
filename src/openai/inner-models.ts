import { foldName } from '../json/fold-name.ts'
import type { JsonObject } from '../json/json.ts'
import { visitMembers } from './inner-members.ts'
import { isModelName, leadsToModels } from './model-names.ts'

/** A model that a body names elsewhere than in its own `model`. */
export interface InnerModel {
  readonly model: string
  /** Where: `session.model`, `models[1]`. */
  readonly param: string
}

/** What of an object that stands for a model is its name. */
const NAMING: ReadonlySet<string> = new Set(['id', 'name', 'slug'])
/** A store's own ways to rank, and none. */
const RANKERS = /^(?:auto|none|default[\w.-]*)$/
/** Where a search or a reader of documents has engines of its own (OpenRouter's plugins and server tools), and these are no models. */
const OTHER_ENGINES = /^(?:plugins|tools|web_search_options)\b/
const DEPTH_MAX = 32

/**
 * The models that a body names beside its own: a session's, a tool's, a grader's, another call's, those to fall back to. Undefined:
 * the body is too deep, or too large, to tell.
 *
 * @example
 * const [{ model, param }] = innerModels({ session: { model: 'gpt-realtime' } }) ?? []
 */
export function innerModels(body: JsonObject): readonly InnerModel[] | undefined {
  const found: InnerModel[] = []
  const isWhole = visitMembers(body, (name, value, depth, param) => {
    if (!isModelName(name) || (depth === 0 && name === 'model' && typeof value === 'string')) return
    const at = param()
    if (name.startsWith('engine') && OTHER_ENGINES.test(at)) return
    for (const model of namesIn(value, leadsToModels(name)))
      if (name !== 'ranker' || !RANKERS.test(model)) found.push({ model, param: at })
  })
  return isWhole ? found : undefined
}

/** The names in what stands for a model, or for several; `isMap`: its members' names are models, too. */
function namesIn(value: unknown, isMap: boolean, depth = 0): readonly string[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  // Of a body that goes deeper nothing is taken for known.
  if (typeof value !== 'object' || value === null || depth > DEPTH_MAX) return []
  if (Array.isArray(value)) return value.flatMap((one: unknown) => namesIn(one, isMap, depth + 1))
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    if (NAMING.has(key)) return namesIn(inner, isMap, depth + 1)
    // What is named like a model in there is found by itself.
    if (isModelName(foldName(key))) return []
    // To some servers a list may come as an object with numbers for names.
    if (/^\d+$/.test(key)) return namesIn(inner, isMap, depth + 1)
    return isMap && (Array.isArray(inner) || typeof inner === 'string')
      ? [key, ...namesIn(inner, isMap, depth + 1)]
      : []
  })
}
