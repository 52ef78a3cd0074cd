import { foldName } from '../json/fold-name.ts'
import type { JsonObject } from '../json/json.ts'
import { visitMembers } from './inner-members.ts'

/** A model that a body names elsewhere than in its own `model`. */
export interface InnerModel {
  readonly model: string
  /** Where: `session.model`, `models[1]`. */
  readonly param: string
}

/** Members that name models, as `foldName` gives them: those that end so, and some more. */
const ENDINGS = ['model', 'models', 'fallback', 'fallbacks', 'deployment']
const NAMES: ReadonlySet<string> = new Set([
  ...['modelid', 'modelname', 'modellist', 'deploymentid', 'deploymentname', 'engineid', 'ranker'],
  ...['adapterid', 'loraname', 'lorapath', 'loraadapter'],
])
/** What of an object that stands for a model is its name. */
const NAMING: ReadonlySet<string> = new Set(['id', 'name', 'slug'])
/** A store's own ways to rank, and none. */
const RANKERS = /^(?:auto|none|default[\w.-]*)$/
const LONGEST_CHARS = 32
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
    for (const model of namesIn(value, name.endsWith('fallbacks')))
      if (name !== 'ranker' || !RANKERS.test(model)) found.push({ model, param: at })
  })
  return isWhole ? found : undefined
}

function isModelName(name: string): boolean {
  return name.length <= LONGEST_CHARS && (NAMES.has(name) || ENDINGS.some((ending) => name.endsWith(ending)))
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
    return isMap && Array.isArray(inner) ? [key, ...namesIn(inner, isMap, depth + 1)] : []
  })
}
