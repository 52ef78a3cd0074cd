import type { Names } from './name-tree.ts'
import { paramOf, quote, quoteSent } from './refusals.ts'
import type { Note, Operation } from './run.ts'

/** One thing that a rule has done, for a person. */
export interface Step {
  /** The rule's number. */
  readonly rule: number
  readonly operation: string
  /** The path of the parameter, with dots. */
  readonly param: string
  /** What became of it, such as `5000 → 1500`. */
  readonly detail: string
}

const DONE_CHARS_MAX = 1000
/** The order in which the operations happen. */
const OPERATIONS: readonly Operation[] = ['deny', 'allow', 'rename', 'drop', 'defaults', 'overrides', 'clamp', 'values']

/**
 * Writes what was done as a header's value: `defaults=temperature; clamp=max_tokens`. Names only, never values; other than
 * visible ASCII, and what separates, is percent-encoded. At most a kilobyte: the rest gives way to `...`.
 *
 * @example
 * headers.set('x-nexcode-params', doneOf(notes))
 */
export function doneOf(notes: readonly Note[]): string {
  let done = ''
  for (const operation of OPERATIONS) {
    const params = paramsOf(notes, operation)
    if (params.size > 0) done += `${done === '' ? '' : '; '}${operation}=${[...params].join(',')}`
  }
  return done.length > DONE_CHARS_MAX ? `${done.slice(0, DONE_CHARS_MAX)}...` : done
}

/** What one kind of operation was done to; more than can be told is not gone through. */
function paramsOf(notes: readonly Note[], operation: Operation): ReadonlySet<string> {
  const params = new Set<string>()
  let chars = 0
  for (const note of notes) {
    if (note.operation !== operation) continue
    const param = encodedOf(note.names)
    if (params.has(param)) continue
    params.add(param)
    chars += param.length + 1
    if (chars > DONE_CHARS_MAX) break
  }
  return params
}

/**
 * Tells what was done, rule by rule.
 *
 * @example
 * const [{ rule, operation, param, detail }] = stepsOf(notes)
 */
export function stepsOf(notes: readonly Note[]): readonly Step[] {
  return notes
    .map(({ rule, operation, names, before, after }) => {
      return { rule, operation, param: paramOf(names), detail: detailOf(operation, before, after) }
    })
    .toSorted((one, other) => one.rule - other.rule)
}

function detailOf(operation: Operation, before: unknown, after: unknown): string {
  if (operation === 'rename') return after === undefined ? 'removed: the new name is there, too' : `now ${after}`
  if (after === undefined) return `removed: was ${quoteSent(before)}`
  return before === undefined ? `set to ${quote(after)}` : `${quoteSent(before)} → ${quote(after)}`
}

/** Most paths are those of the rules, the same for every request. */
const ENCODED = new WeakMap<Names, string>()

function encodedOf(names: Names): string {
  const known = ENCODED.get(names)
  if (known !== undefined) return known
  const encoded = encodedParam(paramOf(names))
  ENCODED.set(names, encoded)
  return encoded
}

const PARAM_CHARS_MAX = 200

/** A parameter as the header has it: other than visible ASCII, and what separates, is percent-encoded. */
export function encodedParam(param: string): string {
  if (/^[\w.-]*$/.test(param)) return param
  return encodeURIComponent(param.slice(0, PARAM_CHARS_MAX).toWellFormed())
}
