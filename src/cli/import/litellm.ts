import { LineCounter, parseDocument, stringify } from 'yaml'
import { isJsonObject, type Json, type JsonObject } from '../../formats/json/json.ts'
import { readCache } from './litellm-cache.ts'
import { readDeployments } from './litellm-deployments.ts'
import { makeModels } from './litellm-models.ts'
import { readRouting } from './litellm-routing.ts'
import { createUpstreams } from './litellm-upstreams.ts'
import { createHide, sectionOf } from './litellm-values.ts'
import { type NoteUntranslated, UNNEEDED, type Untranslated } from './untranslated.ts'

const HEAD = '# yaml-language-server: $schema=./nexcode.schema.json\n'

/** A nexcode.yaml and the parts that it lacks; or the problem of a source that can't be translated. */
type Imported =
  | {
      readonly yaml: string
      readonly untranslated: readonly Untranslated[]
      /** The paths of settings that are left out and not missed: they are off, or state a default. */
      readonly unneeded: readonly string[]
    }
  | { readonly problem: string }

/**
 * Translates the text of a LiteLLM proxy configuration (https://docs.litellm.ai/docs/proxy/configs) into a nexcode.yaml.
 *
 * Callers see the same models as before, under the same names. No secret is copied: a key in the source becomes a variable, and is listed
 * among the things left to do.
 *
 * @example
 * const imported = importLitellm(text)
 */
export function importLitellm(text: string): Imported {
  const read = readLitellm(text)
  if ('problem' in read) return read
  const untranslated: Untranslated[] = []
  const unneeded = new Set<string>()
  const note: NoteUntranslated = (path, why) => {
    if (why === UNNEEDED) unneeded.add(path)
    else if (!untranslated.some((one) => one.path === path && one.why === why)) untranslated.push({ path, why })
  }
  const hide = createHide(note)
  const upstreams = createUpstreams({ note, hide })
  const routing = readRouting(read.source, note)
  const deployments = readDeployments(read.models, { upstreams, timeouts: routing.timeouts, note })
  const cache = readCache(sectionOf(read.source, 'litellm_settings'), { note, hide })
  const { models, params } = makeModels(read.source, deployments, routing, note)
  if (deployments.length === 0)
    note('model_list', 'has no model that could be translated: add upstreams and models by hand')
  const all = upstreams.all()
  const file: JsonObject = {
    unknown_models: 'refuse',
    report_model: 'alias',
    ...routing.keys,
    ...(cache === undefined ? {} : { cache }),
    ...(Object.keys(all).length === 0 ? {} : { upstreams: all }),
    ...(Object.keys(models).length === 0 ? {} : { models }),
    ...(params.length === 0 ? {} : { params }),
  }
  // An alias repeats the whole model: nexcode.yaml has no references.
  return {
    yaml: HEAD + stringify(file, { aliasDuplicateObjects: false, lineWidth: 0 }),
    untranslated,
    unneeded: [...unneeded],
  }
}

/** A LiteLLM configuration as plain data, or the problem of a text that is none. */
type LitellmSource = { readonly source: JsonObject; readonly models: readonly Json[] } | { readonly problem: string }

/**
 * Reads the text of a LiteLLM proxy configuration: YAML 1.1, as LiteLLM reads it.
 *
 * A problem names the line, and quotes none of the text: it may hold keys.
 */
function readLitellm(text: string): LitellmSource {
  const lines = new LineCounter()
  const options = { version: '1.1', uniqueKeys: false, prettyErrors: false, logLevel: 'silent' } as const
  const document = parseDocument(text, { ...options, lineCounter: lines })
  const [error] = document.errors
  if (error !== undefined) {
    return { problem: `line ${lines.linePos(error.pos[0]).line} is no YAML (${error.code})` }
  }
  const source = toData(document)
  if (!isJsonObject(source)) return { problem: 'it is no LiteLLM configuration: that has keys such as model_list' }
  const models = source['model_list']
  if (!Array.isArray(models) || models.length === 0) {
    return { problem: 'it has no model_list: models that LiteLLM keeps in a database can not be translated' }
  }
  return { source, models }
}

/** Gives the data of a document; undefined if aliases within aliases expand to more than anyone can mean. */
function toData(document: { readonly toJS: () => unknown }): Json | undefined {
  try {
    return plain(document.toJS())
  } catch {
    return undefined
  }
}

/** Turns values that JSON lacks into their texts: a date without quotes is an `api_version`. */
function plain(value: unknown): Json {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Date) return value.toISOString().slice(0, 'yyyy-mm-dd'.length)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]))
  }
  return null
}
