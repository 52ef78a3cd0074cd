import { isJsonObject } from '../formats/json/json.ts'
import type { EditedObject } from './edited-object.ts'
import { isModel, type Names, type NameTree } from './name-tree.ts'
import { notAllowed } from './refusals.ts'
import type { RulePlan } from './rule-plan.ts'
import { equals, lastOf, parentOf, type RuleRun, recordChange } from './rule-run.ts'

/** Gives the parameters that the rules set in an empty body; undefined: they refuse such a body. */
export type Blank = () => unknown

/** A parameter that a rule does not allow. */
interface Violation {
  readonly rule: number
  readonly operation: 'deny' | 'allow'
  readonly names: Names
  readonly isDropped: boolean
}

/**
 * Judges the caller's parameters by all `deny` and `allow`: by their own names, and by those that a rename gives them.
 *
 * A value that one of the rules itself sets is no violation. Throws `parameter_not_allowed`, or removes the parameter where the rule
 * says `drop`; a model that is not allowed is always refused. A parameter that is null counts as present.
 */
export function applyAllowDeny(run: RuleRun, plan: RulePlan, blank: Blank): void {
  for (const { rule, names, isDropped } of plan.denials) {
    const parent = parentOf(run, names)
    if (parent?.get(lastOf(names)) === undefined) continue
    refuseOrDrop(run, plan, blank, parent, { rule, operation: 'deny', names, isDropped })
  }
  for (const { rule, allowed, isDropped } of plan.allowances) {
    const settleOne = (parent: EditedObject, names: Names): void =>
      refuseOrDrop(run, plan, blank, parent, { rule, operation: 'allow', names, isDropped })
    judgeObject(run.root, allowed, [], plan, settleOne)
  }
}

/** Judges the names of an object. A name on the way to allowed ones may hold an object or null; any other must be allowed itself. */
function judgeObject(
  object: EditedObject,
  allowed: NameTree,
  outer: Names,
  plan: RulePlan,
  settleOne: (parent: EditedObject, names: Names) => void,
): void {
  for (const name of object.names()) {
    const names = [...outer, name]
    const known = allowed.children.get(lastOf(plan.renames.resolve(names)))
    if (known?.isEnd === true) continue
    const child = known === undefined ? undefined : object.child(name)
    if (known !== undefined && child !== undefined) judgeObject(child, known, names, plan, settleOne)
    else if (known === undefined || object.get(name) !== null) settleOne(object, names)
  }
}

function refuseOrDrop(run: RuleRun, plan: RulePlan, blank: Blank, parent: EditedObject, violation: Violation): void {
  const { rule, operation, names, isDropped } = violation
  if (isSetByRule(run, plan, names, blank)) return
  if (!isDropped || isModel(names)) {
    if (run.isFirstPass) throw notAllowed(names, rule)
    return
  }
  recordChange(run, { rule, operation, names, before: parent.get(lastOf(names)), after: undefined })
  parent.remove(lastOf(names))
}

function isSetByRule(run: RuleRun, plan: RulePlan, names: Names, blank: Blank): boolean {
  if (plan.settings.length === 0) return false
  const resolved = plan.renames.resolve(names)
  const given = plan.settings.filter(({ operation, names: path }) => {
    return operation !== 'drop' && path.every((name, depth) => name === resolved[depth])
  })
  const candidates = given.map(({ names: path, value }) => within(value, resolved.slice(path.length)))
  const isGiven = [...candidates, within(blank(), resolved)].some((value) => {
    return value !== undefined && equals(run, names, value)
  })
  return isGiven && (!run.isFirstPass || run.text?.isPlain(names) !== false)
}

function within(value: unknown, names: Names): unknown {
  let inner = value
  for (const name of names) inner = isJsonObject(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined
  return inner
}
