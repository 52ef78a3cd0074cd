import { stringify } from 'yaml'
import type { JsonObject } from '../../formats/json/json.ts'
import { readCache } from './litellm-cache.ts'
import { readDeployments } from './litellm-deployments.ts'
import { makeModels } from './litellm-models.ts'
import { readRouting } from './litellm-routing.ts'
import { readLitellm } from './litellm-source.ts'
import { createUpstreams } from './litellm-upstreams.ts'
import { sectionOf } from './litellm-values.ts'
import { createHide } from './secret-variables.ts'
import { type NoteUntranslated, UNNEEDED, type Untranslated } from './untranslated.ts'

const HEAD = '# yaml-language-server: $schema=./nexcode.schema.json\n'

/** A nexcode.yaml and the parts that it lacks; or the problem of a source that can't be translated. */
export type Imported =
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
