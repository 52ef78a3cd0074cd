import { isJsonObject, type Json, type JsonObject } from '../../formats/json/json.ts'
import { fillStar, starIn, wildcardOf } from '../../formats/text/wildcards.ts'
import type { LitellmDeployment } from './litellm-deployments.ts'
import { sectionOf, textOf } from './litellm-values.ts'
import { memberPath, type NoteUntranslated } from './untranslated.ts'

/** The depth to which LiteLLM follows a chain of fallbacks. */
const FALLBACKS_MAX = 5

/** Gives the deployments that follow those of a name, in groups that are tried one after the other. */
export type FallbacksOf = (name: string) => readonly (readonly LitellmDeployment[])[]

/** The names that follow a name, and the path in the source that says so. */
interface Fallback {
  readonly next: readonly string[]
  readonly path: string
}

/**
 * Reads the fallbacks of both sections that may have them. As with LiteLLM, a fallback's own fallbacks follow it.
 *
 * @example
 * const fallbacksOf = readFallbacks(source, groups, note)
 */
export function readFallbacks(
  source: JsonObject,
  groups: ReadonlyMap<string, readonly LitellmDeployment[]>,
  note: NoteUntranslated,
): FallbacksOf {
  const fallbacks = new Map<string, Fallback>()
  for (const section of ['litellm_settings', 'router_settings']) {
    const path = memberPath(section, 'fallbacks')
    for (const [name, fallback] of listed(sectionOf(source, section)['fallbacks'], path, note)) {
      const before = fallbacks.get(name)
      if (before !== undefined) note(before.path, `is passed over for ${name}: ${fallback.path} goes before it`)
      fallbacks.set(name, fallback)
      if (name !== '*' && !groups.has(name)) note(fallback.path, `is for ${name}, which is not among the models`)
    }
    const defaultPath = memberPath(section, 'default_fallbacks')
    const given = sectionOf(source, section)['default_fallbacks']
    const byDefault = namesOf(given)
    const before = fallbacks.get('*')
    if (byDefault.length > 0) {
      if (before !== undefined) note(before.path, `is passed over: ${defaultPath} goes before it`)
      fallbacks.set('*', { next: byDefault, path: defaultPath })
    } else if (given !== undefined && given !== null) note(defaultPath, 'is no list of models: it is left out')
  }

  const collect = (name: string, seen: Set<string>, found: (readonly LitellmDeployment[])[]): void => {
    const fallback = fallbacks.get(name) ?? fallbacks.get('*')
    for (const next of fallback?.next ?? []) {
      if (seen.has(next) || found.length === FALLBACKS_MAX) continue
      seen.add(next)
      const deployments = deploymentsOf(next, groups)
      if (deployments === undefined) note(fallback?.path ?? '', `names ${next}, which is not among the models`)
      else found.push(deployments)
      collect(next, seen, found)
    }
  }
  return (name) => {
    const found: (readonly LitellmDeployment[])[] = []
    collect(name, new Set([name]), found)
    return found
  }
}

/** `[{ name: [next, …] }, …]`. */
function listed(value: Json | undefined, path: string, note: NoteUntranslated): (readonly [string, Fallback])[] {
  if (!Array.isArray(value)) {
    if (value !== undefined && value !== null) note(path, 'is no list of fallbacks: it is left out')
    return []
  }
  return value.flatMap((item: Json, index) => {
    const at = `${path}[${index}]`
    const entries = isJsonObject(item) ? Object.entries(item) : []
    if (entries.length === 0) note(at, 'is no fallback of a model')
    return entries.map(([name, given]) => {
      const next = namesOf(given)
      if (next.length === 0) note(at, `names no model for ${name}`)
      return [name, { next, path: at }] as const
    })
  })
}

function namesOf(value: Json | undefined): string[] {
  const list = Array.isArray(value) ? value : [value ?? null]
  return list.flatMap((item: Json) => textOf(isJsonObject(item) ? item['model'] : item) ?? [])
}

/** Finds deployments by the name of a group, by the id of one deployment, or by the longest group name with a `*` that fits. */
function deploymentsOf(
  name: string,
  groups: ReadonlyMap<string, readonly LitellmDeployment[]>,
): readonly LitellmDeployment[] | undefined {
  const group = groups.get(name)
  if (group !== undefined) return group
  for (const deployments of groups.values()) {
    const one = deployments.find(({ id }) => id === name)
    if (one !== undefined) return [one]
  }
  const byLength = [...groups].toSorted(([one], [other]) => other.length - one.length)
  for (const [pattern, deployments] of byLength) {
    const wildcard = wildcardOf(pattern)
    const star = wildcard && starIn(wildcard, name)
    if (star !== undefined) return deployments.map((one) => ({ ...one, model: fillStar(one.model, star) }))
  }
  return undefined
}
