import { suggest } from '../../formats/nearest.ts'
import type { ModelSettings, ResilienceSettings, TargetSettings } from '../settings.ts'
import type { ModelPart } from './parts.ts'
import type { Path } from './path.ts'
import { toResilience, toTimeouts } from './resilience-settings.ts'
import type { Scope } from './scope.ts'
import { sentence } from './wording.ts'

/** The models of a file, in its order; `resilience` is the top level's. Reports all that is wrong with them. */
export function toModels(scope: Scope, resilience: ResilienceSettings): readonly ModelSettings[] {
  return Object.entries(scope.config.models ?? {}).map(([name, part]) => toModel(scope, name, part, resilience))
}

/** Reports a name that is none of an upstream, given where it stands; undefined is none. */
export function checkUpstreamName(scope: Scope, path: Path, name: string | undefined): void {
  // Where none is known, what is wrong with `upstreams` has been reported.
  if (name === undefined || scope.upstreamNames.length === 0 || scope.upstreamNames.includes(name)) return
  const cure = suggest(name, scope.upstreamNames, 'Name an entry of upstreams.')
  scope.add(path, { wrong: sentence(scope.show(path, name), 'is no upstream'), cure })
}

function toModel(scope: Scope, name: string, part: ModelPart, resilience: ResilienceSettings): ModelSettings {
  const path = ['models', name]
  checkName(scope, path, name)
  for (const target of part.targets) {
    const at = scope.pathOf(target)
    checkUpstreamName(scope, [...at, 'upstream'], target.upstream)
    if (target.model?.includes('*') === true && !name.includes('*')) {
      const cure = 'Write the whole name; a * here is what the * of a name such as "gpt-*" stood for.'
      scope.add([...at, 'model'], { wrong: `has a *, though the model's own name has none`, cure })
    }
  }
  const isWeighted = part.targets.some(({ weight }) => weight !== undefined)
  const strategy = part.strategy ?? (isWeighted ? 'weighted' : 'order')
  return {
    name,
    targets: toTargets(part.targets, strategy === 'order'),
    strategy,
    resilience: { ...toResilience(scope, path, part, resilience), timeouts: toTimeouts(part.timeouts) },
    reportModel: part.report_model ?? scope.config.report_model ?? 'upstream',
  }
}

/** Where one target says its order, the others have 0; else they are in the order of the file, where that is the strategy. */
function toTargets(targets: ModelPart['targets'], isInFileOrder: boolean): readonly TargetSettings[] {
  const hasOrder = targets.some(({ order }) => order !== undefined)
  return targets.map(({ upstream, model, weight = 1, order }, index) => ({
    upstream,
    model,
    weight,
    order: order ?? (isInFileOrder && !hasOrder ? index : 0),
  }))
}

function checkName(scope: Scope, path: Path, name: string): void {
  if (name === '' || /\p{Cc}/u.test(name)) {
    const cure = 'Write the name that callers use, such as "gpt-4o" or "gpt-*".'
    scope.add(path, { wrong: 'has a name that no caller can use', cure }, 'key')
  } else if (name.split('*').length > 2) {
    const cure = 'Use one: it stands for any characters, and a target can name only what one of them stood for.'
    scope.add(path, { wrong: 'has more than one * in its name', cure }, 'key')
  }
}
