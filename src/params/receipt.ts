import type { Names } from './name-tree.ts'
import { paramOf, quoteSentValue, quoteValue } from './refusals.ts'
import type { ParamChange, RuleOperation } from './rule-run.ts'

/** One change of a rule, in words for a person. */
export interface Step {
  /** The rule's number. */
  readonly rule: number
  readonly operation: string
  /** The path of the parameter, with dots. */
  readonly param: string
  /** The change, such as `5000 → 1500`. */
  readonly detail: string
}

const RECEIPT_CHARS_MAX = 1000
/** The order in which the operations happen. */
const OPERATIONS: readonly RuleOperation[] = [
  'deny',
  'allow',
  'rename',
  'drop',
  'defaults',
  'overrides',
  'clamp',
  'values',
]

/**
 * Writes the changes as a header's value: `defaults=temperature; clamp=max_tokens`. It has names only, never values; separators, and
 * characters other than visible ASCII, are percent-encoded. It has at most a kilobyte: `...` stands for the rest.
 *
 * @example
 * headers.set('x-nexcode-params', receiptOf(changes))
 */
export function receiptOf(changes: readonly ParamChange[]): string {
  let receipt = ''
  for (const operation of OPERATIONS) {
    const params = paramsOf(changes, operation)
    if (params.size > 0) receipt += `${receipt === '' ? '' : '; '}${operation}=${[...params].join(',')}`
  }
  return receipt.length > RECEIPT_CHARS_MAX ? `${receipt.slice(0, RECEIPT_CHARS_MAX)}...` : receipt
}

/** The parameters of one operation, as many as the receipt has room for. */
function paramsOf(changes: readonly ParamChange[], operation: RuleOperation): ReadonlySet<string> {
  const params = new Set<string>()
  let chars = 0
  for (const change of changes) {
    if (change.operation !== operation) continue
    const param = encodedOf(change.names)
    if (params.has(param)) continue
    params.add(param)
    chars += param.length + 1
    if (chars > RECEIPT_CHARS_MAX) break
  }
  return params
}

/**
 * Describes the changes, rule by rule.
 *
 * @example
 * const [{ rule, operation, param, detail }] = stepsOf(changes)
 */
export function stepsOf(changes: readonly ParamChange[]): readonly Step[] {
  return changes
    .map(({ rule, operation, names, before, after }) => {
      return { rule, operation, param: paramOf(names), detail: detailOf(operation, before, after) }
    })
    .toSorted((one, other) => one.rule - other.rule)
}

function detailOf(operation: RuleOperation, before: unknown, after: unknown): string {
  if (operation === 'rename') return after === undefined ? 'removed: the new name is there, too' : `now ${after}`
  if (after === undefined) return `removed: was ${quoteSentValue(before)}`
  return before === undefined ? `set to ${quoteValue(after)}` : `${quoteSentValue(before)} → ${quoteValue(after)}`
}

/** Most paths are the rules' own, the same for every request. */
const ENCODED = new WeakMap<Names, string>()

function encodedOf(names: Names): string {
  const known = ENCODED.get(names)
  if (known !== undefined) return known
  const encoded = encodedParam(paramOf(names))
  ENCODED.set(names, encoded)
  return encoded
}

const PARAM_CHARS_MAX = 200

/** A parameter as written in the header: separators, and characters other than visible ASCII, are percent-encoded. */
export function encodedParam(param: string): string {
  if (/^[\w.-]*$/.test(param)) return param
  return encodeURIComponent(param.slice(0, PARAM_CHARS_MAX).toWellFormed())
}
