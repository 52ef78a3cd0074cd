import type { ParamRule } from '../param-rule.ts'
import { checkParamNames } from './param-names.ts'
import type { RulePart } from './parts.ts'
import type { Path } from './path.ts'
import { checkRenames } from './renames.ts'
import { offeredBy, toMatch } from './rule-match.ts'
import type { Scope } from './scope.ts'
import { type Offered, unfitModel } from './unfit-match.ts'

const OPERATIONS = [
  'defaults',
  'overrides',
  'clamp',
  'drop',
  'rename',
  'require',
  'deny',
  'allow',
  'values',
] as const satisfies readonly (keyof RulePart)[]

/** The parameter rules of a file, in its order. Reports all that is wrong with them. */
export function toParamRules(scope: Scope): readonly ParamRule[] {
  const parts = scope.config.params ?? []
  checkRenames(scope, parts)
  const offered = offeredBy(scope)
  return parts.map((part) => toRule(scope, part, offered))
}

function toRule(scope: Scope, part: RulePart, offered: Offered | undefined): ParamRule {
  const path = scope.pathOf(part)
  if (!OPERATIONS.some((name) => scope.isWritten([...path, name]))) {
    scope.add(path, { wrong: 'does nothing', cure: `Give it one of ${OPERATIONS.join(', ')}; or take it out.` })
  }
  checkParamNames(scope, path, part)
  checkBounds(scope, path, part)
  checkModels(scope, path, part, offered)
  const { deny = [], allow } = part
  for (const [index, name] of deny.entries()) {
    if (allow?.includes(name) !== true) continue
    const cure = 'Take it out of one of the two: all that allow does not name is refused as it is.'
    scope.add(scope.pathOfEntry(deny, index), { wrong: 'is in allow, too', cure })
  }
  return {
    number: Number(path.at(-1)) + 1,
    match: toMatch(scope, [...path, 'match'], part.match ?? {}, offered),
    defaults: part.defaults ?? {},
    overrides: part.overrides ?? {},
    clamp: Object.fromEntries(
      Object.entries(part.clamp ?? {}).map(([name, { min, max }]) => [name, { min, max }] as const),
    ),
    drop: part.drop ?? [],
    rename: part.rename ?? {},
    require: part.require ?? [],
    deny,
    allow,
    values: part.values ?? {},
    onViolation: part.on_violation ?? 'refuse',
  }
}

/** A model that may be asked for by this rule has to be one that may be asked for at all. */
function checkModels(scope: Scope, path: Path, { values }: RulePart, offered: Offered | undefined): void {
  const models = values?.['model']
  if (offered === undefined || models === undefined) return
  for (const [index, model] of models.entries()) {
    const unfit = typeof model === 'string' ? unfitModel(model.replaceAll('*', ''), offered) : undefined
    if (unfit !== undefined) scope.add([...path, 'values', 'model', index], unfit)
  }
}

function checkBounds(scope: Scope, path: Path, part: RulePart): void {
  for (const [name, { min, max }] of Object.entries(part.clamp ?? {})) {
    const at = [...path, 'clamp', name]
    const isEmpty = !scope.isWritten([...at, 'min']) && !scope.isWritten([...at, 'max'])
    if (isEmpty) scope.add(at, { wrong: 'has neither min nor max', cure: 'Give it one of the two, or both.' }, 'key')
    if (min === undefined || max === undefined || min <= max) continue
    scope.add(at, { wrong: 'has a min above its max', cure: 'Exchange the two.' }, 'key')
  }
}
