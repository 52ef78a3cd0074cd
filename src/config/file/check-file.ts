import { KindGuard, type Static, type TObject, type TSchema } from '@sinclair/typebox'
import { isJsonObject, type JsonObject } from '../../formats/json/json.ts'
import { durationKind, type Fault } from '../scalar-kinds.ts'
import type { Path } from './path.ts'
import type { ProblemLog } from './problems.ts'
import type { FileDocument } from './read-document.ts'
import { convertText, isOfType, isWithin, unionMembersOf } from './schema-types.ts'
import {
  isNoLiteral,
  missingKey,
  nothingIn,
  outOfRange,
  showScalar,
  unknownKey,
  unknownWord,
  wordsOf,
  wrongType,
} from './wording.ts'

/** The places of the parts of a checked file. */
export interface Places {
  /** The place of an object or a list. */
  readonly pathOf: (part: object) => Path
  /** The place of an entry of a list, which may be shorter than the file's: entries with a problem are left out. */
  readonly pathOfEntry: (list: readonly unknown[], index: number) => Path
}

/** A file of the right shape; parts with a problem are left out of it. */
export interface CheckedFile<T> {
  readonly config: T
  readonly places: Places
}

/** One check of one file. */
interface Run {
  readonly document: FileDocument
  readonly log: ProblemLog
  readonly paths: WeakMap<object, Path>
  /** The paths of a list's entries. */
  readonly entries: WeakMap<object, readonly Path[]>
}

/** Stands for a value that is not valid. */
const NONE = Symbol('none')

/**
 * Checks a document against the schema of the file, and reports all faults of its shape: one problem for each
 * cause, in our words.
 *
 * A text that had a variable in it becomes a number or a boolean where one of these is wanted, and durations become
 * milliseconds.
 */
export function checkFile<T extends TObject>(
  schema: T,
  document: FileDocument,
  log: ProblemLog,
): CheckedFile<Static<T>> {
  const paths = new WeakMap<object, Path>()
  const entries = new WeakMap<object, readonly Path[]>()
  const config = check({ document, log, paths, entries }, schema, document.value ?? {}, [])
  return {
    config: (config === NONE ? {} : config) as Static<T>,
    places: {
      pathOf: (part) => paths.get(part) ?? [],
      pathOfEntry: (list, index) => entries.get(list)?.[index] ?? [],
    },
  }
}

/** The good value, or `NONE` and a problem in the log. */
function check(run: Run, schema: TSchema, written: unknown, path: Path): unknown {
  if (run.document.isFaulty(path)) return NONE
  if (schema['x-duration'] !== undefined) return checkDuration(run, schema, written, path)
  if (KindGuard.IsUnknown(schema)) return checkJson(run, written, path)
  const hasVariable = typeof written === 'string' && run.document.hasVariable(path)
  const value = hasVariable ? convertText(schema, written) : written
  if (KindGuard.IsUnion(schema)) return checkUnion(run, schema, value, path)
  if (!isOfType(schema, value)) return refuse(run, path, wrongType(schema, value, shown(run, schema, path, value)))
  if (KindGuard.IsObject(schema) && isJsonObject(value)) return checkObject(run, schema, value, path)
  if (KindGuard.IsRecord(schema) && isJsonObject(value)) return checkRecord(run, schema, value, path)
  if (KindGuard.IsArray(schema) && Array.isArray(value)) return checkList(run, schema, value, path)
  if (typeof value === 'number' && !isWithin(schema, value)) {
    return refuse(run, path, outOfRange(schema, shown(run, schema, path, value)))
  }
  if (typeof value === 'string' && value.length < (schema['minLength'] ?? 0))
    return refuse(run, path, nothingIn(schema))
  return value
}

function checkUnion(run: Run, schema: TSchema, value: unknown, path: Path): unknown {
  const members = unionMembersOf(schema)
  const member = members.find((one) => isOfType(one, value))
  if (member !== undefined) return check(run, member, value, path)
  const words = wordsOf(schema)
  const text = shown(run, schema, path, value)
  if (words.length === 0 || typeof value !== 'string') return refuse(run, path, wrongType(schema, value, text))
  return refuse(run, path, unknownWord(value, text, words, members.filter(isNoLiteral)))
}

function checkObject(run: Run, schema: TObject, value: JsonObject, path: Path): unknown {
  const required = schema.required ?? []
  const found: [string, unknown][] = []
  let isWhole = true
  for (const [key, item] of Object.entries(value)) {
    const field = Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined
    if (field === undefined) {
      run.log.add([...path, key], unknownKey(key, Object.keys(schema.properties)), 'key')
      continue
    }
    const checked = check(run, field, item, [...path, key])
    if (checked !== NONE) found.push([key, checked])
    else if (required.includes(key)) isWhole = false
  }
  for (const [key, field] of Object.entries(schema.properties)) {
    if (!required.includes(key) || Object.hasOwn(value, key)) continue
    isWhole = false
    run.log.add([...path, key], missingKey(key, field), 'key')
  }
  return isWhole ? keep(run, Object.fromEntries(found), path) : NONE
}

function checkRecord(run: Run, schema: TSchema, value: JsonObject, path: Path): unknown {
  const [items = schema]: TSchema[] = Object.values(schema['patternProperties'])
  const entries = Object.entries(value)
  if (entries.length < (schema['minProperties'] ?? 0)) return refuse(run, path, nothingIn(schema))
  const checked = entries.map(([key, item]): [string, unknown] => [key, check(run, items, item, [...path, key])])
  return keep(run, Object.fromEntries(checked.filter(([, item]) => item !== NONE)), path)
}

function checkList(run: Run, schema: TSchema, value: readonly unknown[], path: Path): unknown {
  if (value.length < (schema['minItems'] ?? 0)) return refuse(run, path, nothingIn(schema))
  const checked = value.map((item, index) => {
    const at = [...path, index]
    return { item: check(run, schema['items'], item, at), at }
  })
  const good = checked.filter(({ item }) => item !== NONE)
  const list = good.map(({ item }) => item)
  const places = good.map(({ at }) => at)
  run.entries.set(list, places)
  return keep(run, list, path)
}

function checkDuration(run: Run, schema: TSchema, value: unknown, path: Path): unknown {
  const text = shown(run, schema, path, value)
  if (typeof value !== 'number' && typeof value !== 'string') return refuse(run, path, wrongType(schema, value, text))
  const parsed = durationKind.parse(String(value))
  if (!parsed.ok) return refuse(run, path, text === undefined ? wrongType(schema, value, text) : parsed.fault)
  if (parsed.value >= Number(schema['x-duration'])) return parsed.value
  return refuse(run, path, { wrong: 'is 0', cure: 'Use at least 1 millisecond.' })
}

/** Any value of JSON; YAML's numbers go further. */
function checkJson(run: Run, value: unknown, path: Path): unknown {
  if (run.document.isFaulty(path)) return NONE
  if (Array.isArray(value)) {
    const items = value.map((item, index) => checkJson(run, item, [...path, index]))
    return items.includes(NONE) ? NONE : items
  }
  if (isJsonObject(value)) {
    const entries = Object.entries(value).map(([key, item]) => [key, checkJson(run, item, [...path, key])] as const)
    return entries.some(([, item]) => item === NONE) ? NONE : Object.fromEntries(entries)
  }
  if (typeof value !== 'number' || Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value
  return refuse(run, path, { wrong: 'is a number that JSON cannot carry exactly', cure: 'Use a smaller one.' })
}

function keep(run: Run, part: object, path: Path): object {
  run.paths.set(part, path)
  return part
}

function refuse(run: Run, path: Path, fault: Fault): typeof NONE {
  run.log.add(path, fault)
  return NONE
}

/** Gives a value as a problem may show it; undefined where it may be a secret. */
function shown(run: Run, schema: TSchema, path: Path, value: unknown): string | undefined {
  // The whole file is too long a value to show.
  return path.length === 0 || schema['x-secret'] === true || run.document.hasVariable(path)
    ? undefined
    : showScalar(value)
}
