import { isJsonObject } from '../formats/json/json.ts'
import { isModel, type Names, type NameTree } from './name-tree.ts'
import type { ObjectDraft } from './object-draft.ts'
import type { Plan } from './plan.ts'
import { notAllowed } from './refusals.ts'
import { equals, lastOf, note, parentOf, type Run } from './run.ts'

/** What the rules put into a body that has nothing in it; undefined: such a body is refused. */
export type Blank = () => unknown

/** A parameter that a rule does not admit. */
interface Violation {
  readonly rule: number
  readonly operation: 'deny' | 'allow'
  readonly names: Names
  readonly isDropped: boolean
}

/**
 * Judges what the caller sent by all `deny` and `allow`: by its own names, and by those that it gets by a rename.
 *
 * What one of the rules itself puts in is no violation. Throws `parameter_not_allowed`, or removes the parameter where the
 * rule says `drop`; a model that is not admitted is always refused. Present is also what is null.
 */
export function admit(run: Run, plan: Plan, blank: Blank): void {
  for (const { rule, names, isDropped } of plan.denials) {
    const parent = parentOf(run, names)
    if (parent?.get(lastOf(names)) === undefined) continue
    settle(run, plan, blank, parent, { rule, operation: 'deny', names, isDropped })
  }
  for (const { rule, allowed, isDropped } of plan.allowances) {
    const settleOne = (parent: ObjectDraft, names: Names): void =>
      settle(run, plan, blank, parent, { rule, operation: 'allow', names, isDropped })
    judgeObject(run.root, allowed, [], plan, settleOne)
  }
}

/** A name that leads to allowed ones may hold an object with them, or null; all others may be what they are or not be there. */
function judgeObject(
  object: ObjectDraft,
  allowed: NameTree,
  outer: Names,
  plan: Plan,
  settleOne: (parent: ObjectDraft, names: Names) => void,
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

function settle(run: Run, plan: Plan, blank: Blank, parent: ObjectDraft, violation: Violation): void {
  const { rule, operation, names, isDropped } = violation
  if (isPutIn(run, plan, names, blank)) return
  if (!isDropped || isModel(names)) {
    if (run.isFirstPass) throw notAllowed(names, rule)
    return
  }
  note(run, { rule, operation, names, before: parent.get(lastOf(names)), after: undefined })
  parent.remove(lastOf(names))
}

function isPutIn(run: Run, plan: Plan, names: Names, blank: Blank): boolean {
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
