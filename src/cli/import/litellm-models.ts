import { isJsonObject, type Json, type JsonObject } from '../../formats/json/json.ts'
import type { LitellmDeployment } from './litellm-deployments.ts'
import { type FallbacksOf, readFallbacks } from './litellm-fallbacks.ts'
import { attemptsFor, type Routing } from './litellm-routing.ts'
import { levelsOf } from './litellm-targets.ts'
import { sectionOf, textOf } from './litellm-values.ts'
import { memberPath, type NoteUntranslated, UNNEEDED } from './untranslated.ts'

/** The models of nexcode.yaml, and the rules for their parameters. */
export interface Models {
  readonly models: JsonObject
  readonly params: readonly JsonObject[]
}

/**
 * Makes one model of all deployments with the same name, followed by its fallbacks, and a model for each alias.
 *
 * @example
 * const { models, params } = makeModels(source, deployments, routing, note)
 */
export function makeModels(
  source: JsonObject,
  deployments: readonly LitellmDeployment[],
  routing: Routing,
  note: NoteUntranslated,
): Models {
  const groups = Map.groupBy(deployments, ({ name }) => name)
  const fallbacksOf = readFallbacks(source, groups, note)
  const models = new Map<string, JsonObject>()
  const params: JsonObject[] = []
  const aliases = readAliases(source, groups, note)
  for (const [name, group] of groups) {
    const model = makeModel(name, group, fallbacksOf, routing, note)
    const names = [name, ...aliases.filter(([, of]) => of === name).map(([alias]) => alias)]
    for (const one of names) models.set(one, model)
    const defaults = defaultsOf(group, note)
    if (defaults !== undefined) params.push({ match: { model: names.length === 1 ? name : names }, defaults })
  }
  const sorted = [...models].toSorted(([one], [other]) => breadth(one) - breadth(other))
  return { models: Object.fromEntries(sorted), params }
}

/** Orders as LiteLLM prefers: a name before a pattern, and a longer pattern before a shorter one. */
function breadth(name: string): number {
  const star = name.indexOf('*')
  return star === -1 ? Number.NEGATIVE_INFINITY : -name.length
}

function makeModel(
  name: string,
  group: readonly LitellmDeployment[],
  fallbacksOf: FallbacksOf,
  routing: Routing,
  note: NoteUntranslated,
): JsonObject {
  const fits = ({ model }: LitellmDeployment): boolean => name.includes('*') || !model.includes('*')
  const fallbacks = fallbacksOf(name).map((one) => one.filter(fits))
  const levels = levelsOf([group, ...fallbacks], routing.strategy, note)
  for (const { order, shares, path } of group) {
    if (order !== undefined && group.every((one) => one.order === order)) note(memberPath(path, 'order'), UNNEEDED)
    if (shares.weight !== undefined && levels.every((level) => level.every(({ weight }) => weight === undefined))) {
      note(
        memberPath(path, 'weight'),
        routing.strategy === 'weighted' ? UNNEEDED : 'is no share: least_busy knows none',
      )
    }
  }
  const targets = levels.flatMap((level, order) => level.map((target) => (order === 0 ? target : { ...target, order })))
  const isShared = levels.some((level) => level.length > 1)
  const retries = mostRetries(group, routing.attempts, note)
  const own = retries === undefined ? routing.attempts : attemptsFor(retries, `${group[0]?.path}.num_retries`, note)
  // NexCode counts the attempts of all targets together: there must be one for each fallback.
  const attempts = levels.length > 1 ? Math.max(own, Math.min(10, targets.length)) : own
  return {
    targets,
    ...(isShared ? { strategy: routing.strategy } : {}),
    ...(attempts === routing.attempts ? {} : { retry: { attempts } }),
  }
}

/** Gives the setting of all deployments with the same name: the largest value if they differ. */
function mostRetries(group: readonly LitellmDeployment[], usual: number, note: NoteUntranslated): number | undefined {
  const given = group.flatMap(({ retries }) => retries ?? [])
  if (given.length === 0) return undefined
  const largest = Math.max(...given)
  const isUsual = attemptsFor(largest, '', () => undefined) === usual
  for (const { path, retries, retriesKey } of group) {
    if (retries === undefined) continue
    const why = retries === largest ? UNNEEDED : 'is one for all targets of a model: the largest is taken'
    if (retries !== largest || isUsual) note(memberPath(path, retriesKey), why)
  }
  return largest
}

/** Gives the parameters that all deployments of a name share. */
function defaultsOf(group: readonly LitellmDeployment[], note: NoteUntranslated): JsonObject | undefined {
  const [first] = group
  const shared: Record<string, Json> = {}
  for (const [key, value] of Object.entries(first?.defaults ?? {})) {
    if (group.every(({ defaults }) => JSON.stringify(defaults[key]) === JSON.stringify(value))) shared[key] = value
  }
  for (const { path, defaults } of group) {
    for (const key of Object.keys(defaults)) {
      if (shared[key] === undefined) {
        note(
          memberPath(path, key),
          'is not the same for all deployments of the name: rules are for names, not for targets',
        )
      }
    }
  }
  return Object.keys(shared).length === 0 ? undefined : shared
}

/** Reads `model_group_alias`: other names, and the groups that they stand for. */
function readAliases(
  source: JsonObject,
  groups: ReadonlyMap<string, unknown>,
  note: NoteUntranslated,
): readonly (readonly [alias: string, name: string])[] {
  const path = 'router_settings.model_group_alias'
  const given = sectionOf(source, 'router_settings')['model_group_alias'] ?? null
  if (given !== null && !isJsonObject(given)) note(path, 'is no section: it is left out')
  return Object.entries(sectionOf(sectionOf(source, 'router_settings'), 'model_group_alias')).flatMap(
    ([alias, value]) => {
      const at = memberPath(path, alias)
      const name = textOf(isJsonObject(value) ? value['model'] : value)
      if (name === undefined || !groups.has(name) || groups.has(alias)) {
        note(at, 'stands for no model of the list, or is one itself: it is left out')
        return []
      }
      for (const [key, of] of isJsonObject(value) ? Object.entries(value) : []) {
        if (key !== 'model') note(memberPath(at, key), of === false ? UNNEEDED : 'is not there')
      }
      return [[alias, name] as const]
    },
  )
}
