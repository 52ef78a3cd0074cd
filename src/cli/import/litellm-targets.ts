import type { JsonObject } from '../../formats/json/json.ts'
import type { LitellmDeployment } from './litellm-deployments.ts'
import { memberPath, type NoteUntranslated } from './untranslated.ts'

/** A target of nexcode.yaml, without its order. */
export interface Target extends JsonObject {
  readonly upstream: string
  readonly model: string
  readonly weight?: number
}

/**
 * Makes targets of deployments, in levels: a request chooses among the targets of one level, and goes to the next level when they fail.
 *
 * `groups` come one after the other; within a group, LiteLLM's `order` makes levels. No target is repeated.
 */
export function levelsOf(
  groups: readonly (readonly LitellmDeployment[])[],
  strategy: 'weighted' | 'least_busy',
  note: NoteUntranslated,
): readonly (readonly Target[])[] {
  const seen = new Set<string>()
  const levels: (readonly Target[])[] = []
  for (const [index, group] of groups.entries()) {
    // The group of a model's own name reports its problems; others would repeat them.
    const say = index === 0 ? note : (): void => undefined
    for (const level of byOrder(group)) {
      const fresh = level.filter(({ upstream, model }) => !seen.has(JSON.stringify([upstream, model])))
      const targets = targetsOf(fresh, strategy, say)
      for (const { upstream, model } of targets) seen.add(JSON.stringify([upstream, model]))
      if (targets.length > 0) levels.push(targets)
    }
  }
  return levels
}

/** Splits deployments into levels by their `order`. As with LiteLLM, those without one come last. */
function byOrder(group: readonly LitellmDeployment[]): (readonly LitellmDeployment[])[] {
  const levels = Map.groupBy(group, ({ order }) => order ?? Number.POSITIVE_INFINITY)
  return [...levels].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, level]) => level)
}

function targetsOf(
  level: readonly LitellmDeployment[],
  strategy: 'weighted' | 'least_busy',
  note: NoteUntranslated,
): readonly Target[] {
  const shares = strategy === 'weighted' && level.length > 1 ? sharesOf(level) : undefined
  if (shares === undefined) return level.map(({ upstream, model }) => ({ upstream, model }))
  const divisor = shares.reduce(greatestCommonDivisor)
  const largest = Math.max(...shares) / divisor
  // A weight is at most a million.
  const scale = Math.max(1, largest / 1_000_000) * divisor
  return level.flatMap(({ upstream, model, path }, index) => {
    const share = shares[index] ?? 0
    if (share > 0) return [{ upstream, model, weight: Math.max(1e-6, share / scale) }]
    note(
      memberPath(path, 'weight'),
      'is 0 beside others that have one, and so the target is never chosen: it is left out',
    )
    return []
  })
}

/** Gives the shares by the first of weight, rpm and tpm that any deployment has; a missing value counts as 0, as with LiteLLM. */
function sharesOf(level: readonly LitellmDeployment[]): readonly number[] | undefined {
  for (const key of ['weight', 'rpm', 'tpm'] as const) {
    const shares = level.map(({ shares: given }) => given[key] ?? 0)
    if (shares.some((share) => share > 0)) return shares
  }
  return undefined
}

/** Gives the greatest common divisor; 1 for fractions, which stay as they are. */
function greatestCommonDivisor(one: number, other: number): number {
  if (!Number.isInteger(one) || !Number.isInteger(other)) return 1
  return other === 0 ? one : greatestCommonDivisor(other, one % other)
}
