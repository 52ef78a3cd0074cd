import { isEqualJson } from '../formats/json/equal.ts'
import { isJsonObject } from '../formats/json/json.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import { admit, type Blank } from './admit.ts'
import { BodyText } from './body-text.ts'
import { checkRequired, checkValues, clampAll } from './check-params.ts'
import { clampCaps } from './clamp-caps.ts'
import { assertNotInExtra } from './extra-body.ts'
import { fieldsToObject } from './form-field.ts'
import type { Plan } from './plan.ts'
import { notAnObject } from './refusals.ts'
import { type Run, startRun } from './run.ts'
import { renameAll, settleAll } from './set-params.ts'

/**
 * How often the phases are gone through at most. One time is enough but for rules that undo each other in part, and those come
 * to rest, or to a circle of two to four steps: after twelve all of these are where they would be after twenty-four.
 */
const PASSES_MAX = 12

/** A JSON body that has been through the rules, with its text. */
export interface JsonRun extends Run {
  readonly text: BodyText
}

/**
 * Takes a JSON body through the rules. Throws an ApiError where it is refused.
 *
 * @example
 * const { root, text, notes } = runOnJson(plan, body)
 */
export function runOnJson(plan: Plan, body: JsonBody): JsonRun {
  const { value } = body
  if (!isJsonObject(value)) throw notAnObject()
  const text = new BodyText(body, value)
  text.assertSentOnce(plan.named)
  assertNotInExtra(text, plan.ofBody)
  const run = { ...startRun(value, text, false), text }
  goThrough(run, plan, blankFor(plan))
  return run
}

/** Takes a form's text fields through the rules. Throws an ApiError where it is refused, or where something would have to change. */
export function checkForm(plan: Plan, fields: ReadonlyMap<string, readonly string[]>): void {
  const value = fieldsToObject(fields, plan.named)
  goThrough(startRun(value, undefined, true), plan, blankFor(plan))
}

/**
 * All phases, again until nothing changes: what comes out is then what a second time would leave alone. Most often the second
 * pass does nothing at all; to see that one has undone its own work takes a comparison.
 */
function goThrough(run: Run, plan: Plan, blank: Blank | undefined): void {
  for (let pass = 0; pass < PASSES_MAX; pass += 1) {
    const before = pass > 1 ? run.root.value() : undefined
    run.isFirstPass = pass === 0
    run.changeCount = 0
    if (blank !== undefined) admit(run, plan, blank)
    renameAll(run, plan)
    settleAll(run, plan)
    clampAll(run, plan)
    clampCaps(run, plan)
    checkValues(run, plan)
    if (
      plan.isSettledAtOnce ||
      run.changeCount === 0 ||
      (before !== undefined && isEqualJson(before, run.root.value()))
    )
      break
  }
  if (blank !== undefined) checkRequired(run, plan)
}

/** Worked out once for all that is judged by it. */
function blankFor(plan: Plan): Blank {
  let blank: { readonly value: unknown } | undefined
  return () => {
    blank ??= { value: blankOf(plan) }
    return blank.value
  }
}

function blankOf(plan: Plan): unknown {
  const run = startRun({}, undefined, false)
  try {
    goThrough(run, plan, undefined)
    return run.root.value()
  } catch {
    return undefined
  }
}
