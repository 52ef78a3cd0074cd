import { isEqualJson } from '../formats/json/equal.ts'
import { isJsonObject } from '../formats/json/json.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import { applyAllowDeny, type Blank } from './allow-deny.ts'
import { BodyText } from './body-text.ts'
import { checkRequired, checkValues, clampAll } from './check-params.ts'
import { clampCaps } from './clamp-caps.ts'
import { fieldsToObject } from './form-fields.ts'
import { meantBy, type NameTree } from './name-tree.ts'
import { notAnObject, sentTwice, spelledOtherwise } from './refusals.ts'
import type { RulePlan } from './rule-plan.ts'
import { type RuleRun, startRun } from './rule-run.ts'
import { renameAll, setParams } from './set-params.ts'

/**
 * The most passes through the phases. One is enough, except for rules that undo each other in part. Those come to rest or to a circle of
 * two to four steps: after twelve passes each is where it would be after twenty-four.
 */
const PASSES_MAX = 12

/** A JSON body that has been through the rules, with its text. */
export interface JsonRun extends RuleRun {
  readonly text: BodyText
}

/**
 * Takes a JSON body through the rules. Throws an ApiError if the body is refused.
 *
 * @example
 * const { root, text, changes } = runOnJson(plan, body)
 */
export function runOnJson(plan: RulePlan, body: JsonBody): JsonRun {
  // Each value that the plan may look at has been read (`Rules.reads`).
  const value = body.outline
  if (!isJsonObject(value)) throw notAnObject()
  const text = new BodyText(body, value)
  text.assertSentOnce(plan.named)
  assertNotInExtra(text, plan.ofBody)
  const run = { ...startRun(value, text, false), text }
  goThrough(run, plan, blankFor(plan))
  return run
}

/** Takes a form's text fields through the rules. Throws an ApiError if the form is refused, or something would have to change. */
export function checkForm(plan: RulePlan, fields: ReadonlyMap<string, readonly string[]>): void {
  const value = fieldsToObject(fields, plan.named)
  goThrough(startRun(value, undefined, true), plan, blankFor(plan))
}

/**
 * Runs all phases until nothing changes, so that running them on the result would change nothing. Mostly the second pass does nothing;
 * only a comparison shows that a pass has undone its own work.
 */
function goThrough(run: RuleRun, plan: RulePlan, blank: Blank | undefined): void {
  for (let pass = 0; pass < PASSES_MAX; pass += 1) {
    const before = pass > 1 ? run.root.value() : undefined
    run.isFirstPass = pass === 0
    run.changeCount = 0
    if (blank !== undefined) applyAllowDeny(run, plan, blank)
    renameAll(run, plan)
    setParams(run, plan)
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

/** Gives the parameters that the rules set in an empty body; computed once for all judgements of one run. */
function blankFor(plan: RulePlan): Blank {
  let blank: { readonly value: unknown } | undefined
  return () => {
    blank ??= { value: blankOf(plan) }
    return blank.value
  }
}

function blankOf(plan: RulePlan): unknown {
  const run = startRun({}, undefined, false)
  try {
    goThrough(run, plan, undefined)
    return run.root.value()
  } catch {
    return undefined
  }
}

/**
 * The parameter whose members LiteLLM merges into the body for the provider
 * (https://docs.litellm.ai/docs/completion/provider_specific_params).
 */
const EXTRA = 'extra_body'

/**
 * Throws `rules_not_applicable` if a parameter that rules deny, drop, list or set stands in `extra_body`: some servers take it from
 * there as one of the body's own.
 */
function assertNotInExtra(text: BodyText, names: NameTree): void {
  const extra = text.value[EXTRA]
  if (extra === undefined || names.children.size === 0) return
  if (text.membersAt(text.brace).filter(({ key }) => key === EXTRA).length > 1) throw sentTwice([EXTRA])
  if (!isJsonObject(extra)) return
  for (const name of Object.keys(extra)) {
    const meant = names.children.has(name) ? name : meantBy(name, names)
    if (meant !== undefined) throw spelledOtherwise([EXTRA, name], meant)
  }
}
