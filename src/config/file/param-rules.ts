import type { ParamRule } from '../settings.ts'
import { tokenFault } from './header-names.ts'
import { checkParamNames } from './param-names.ts'
import type { RulePart } from './parts.ts'
import type { Path } from './path.ts'
import { checkRenames } from './renames.ts'
import type { Scope } from './scope.ts'

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
  return parts.map((part) => toRule(scope, part))
}

function toRule(scope: Scope, part: RulePart): ParamRule {
  const path = scope.pathOf(part)
  if (!OPERATIONS.some((name) => scope.isWritten([...path, name]))) {
    scope.add(path, { wrong: 'does nothing', cure: `Give it one of ${OPERATIONS.join(', ')}; or take it out.` })
  }
  checkParamNames(scope, path, part)
  checkBounds(scope, path, part)
  const { deny = [], allow } = part
  for (const [index, name] of deny.entries()) {
    if (allow?.includes(name) !== true) continue
    const cure = 'Take it out of one of the two: all that allow does not name is refused as it is.'
    scope.add(scope.pathOfEntry(deny, index), { wrong: 'is in allow, too', cure })
  }
  return {
    number: Number(path.at(-1)) + 1,
    match: toMatch(scope, [...path, 'match'], part.match ?? {}),
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

function checkBounds(scope: Scope, path: Path, part: RulePart): void {
  for (const [name, { min, max }] of Object.entries(part.clamp ?? {})) {
    const at = [...path, 'clamp', name]
    const isEmpty = !scope.isWritten([...at, 'min']) && !scope.isWritten([...at, 'max'])
    if (isEmpty) scope.add(at, { wrong: 'has neither min nor max', cure: 'Give it one of the two, or both.' }, 'key')
    if (min === undefined || max === undefined || min <= max) continue
    scope.add(at, { wrong: 'has a min above its max', cure: 'Exchange the two.' }, 'key')
  }
}

function toMatch(scope: Scope, path: Path, match: NonNullable<RulePart['match']>): ParamRule['match'] {
  const { endpoint } = match
  for (const [index, pattern] of toList(endpoint)?.entries() ?? []) {
    if (!/^(\/|v1\/)/.test(pattern)) continue
    const at = Array.isArray(endpoint) ? scope.pathOfEntry(endpoint, index) : [...path, 'endpoint']
    const cure = 'Write what stands behind /v1/, such as chat/completions.'
    scope.add(at, { wrong: 'begins with a slash or with v1/, and so fits no request', cure })
  }
  return {
    model: toList(match.model),
    endpoint: toList(endpoint),
    principal: toList(match.principal),
    header: match.header === undefined ? undefined : toHeaders(scope, [...path, 'header'], match.header),
  }
}

function toHeaders(
  scope: Scope,
  path: Path,
  header: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const headers = new Map<string, string>()
  for (const [written, pattern] of Object.entries(header)) {
    const name = written.toLowerCase()
    const fault = tokenFault(name)
    if (fault !== undefined) scope.add([...path, written], fault, 'key')
    if (headers.has(name)) {
      scope.add([...path, written], { wrong: 'is there a second time', cure: 'Take one of the two out.' }, 'key')
    }
    headers.set(name, pattern)
  }
  return Object.fromEntries(headers)
}

function toList(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof value === 'string' ? [value] : value
}
