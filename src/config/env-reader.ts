import type { Fault, FileForm, Kind, Parsed } from './scalar-kinds.ts'
import { wordsForCode } from './system-errors.ts'

/** The environment of a process. */
export type Env = Readonly<Record<string, string | undefined>>

/**
 * The value of a variable that a file names, without spaces around it; undefined: it is not set. A file may name a member of every
 * object, such as `constructor`.
 *
 * @example
 * const value = variableIn(process.env, name)
 */
export function variableIn(env: Env, name: string): string | undefined {
  return Object.hasOwn(env, name) ? env[name]?.trim() : undefined
}

/** The unit of a variable's number. */
export type EnvUnit = 'ms' | 'bytes' | 'bytes/s' | 'requests' | 'connections' | '%'

/** One environment variable. Help, documentation and errors are made from it. */
export interface EnvRow<T = unknown, D extends T | undefined = T | undefined> {
  readonly name: string
  readonly kind: Kind<T>
  /** The value where the variable is absent or empty. */
  readonly default: D
  /** The description of a default that is no fixed value. */
  readonly defaultNote?: string
  readonly unit?: EnvUnit
  /** One line. */
  readonly doc: string
  /** A good value. */
  readonly example: string
}

/** Makes a row whose default's type is known exactly. */
export function row<T, const D extends T | undefined>(definition: EnvRow<T, D>): EnvRow<T, D> {
  return definition
}

/** One problem of the environment. It never holds a part of a secret. */
export interface ConfigProblem {
  /** The variable to look at. */
  readonly name: string
  /** The fault, as the end of a sentence that begins with the name. */
  readonly wrong: string
  /** How to mend it, as a sentence. */
  readonly cure: string
  /** A line that would be right. */
  readonly example: string
}

/** Reads an environment row by row, and gathers its problems. */
export interface EnvReader {
  readonly problems: readonly ConfigProblem[]
  /** Whether a variable is there, and not empty. */
  readonly has: (row: EnvRow) => boolean
  /** The value of a variable; its default where it is absent, empty or wrong. */
  readonly take: <T, D extends T | undefined>(row: EnvRow<T, D>) => T | D
  /** The value of a variable, or of the file that a second variable names, which may have a form of its own. */
  readonly takeSecret: <T, D extends T | undefined>(
    row: EnvRow<T, D>,
    fileRow: EnvRow<string>,
    form?: FileForm<T>,
  ) => T | D
  /** The content of the file that a variable names; undefined where there is none, or none that can be read. */
  readonly takeFile: (row: EnvRow<string>) => string | undefined
  readonly report: (row: EnvRow, fault: Fault) => void
}

/**
 * Makes the reader of an environment. Spaces around a value are dropped, and an empty value counts as absent:
 * compose files pass empty strings for unset variables.
 */
export function createEnvReader(env: Env, readFile: (path: string) => string): EnvReader {
  const problems: ConfigProblem[] = []

  const textOf = (row: EnvRow): string => env[row.name]?.trim() ?? ''
  const has = (row: EnvRow): boolean => textOf(row) !== ''

  const report = (row: EnvRow, fault: Fault): void => {
    problems.push({ name: row.name, ...fault, example: `${row.name}=${row.example}` })
  }

  const orDefault = <T, D extends T | undefined>(row: EnvRow<T, D>, parsed: Parsed<T>, source: EnvRow): T | D => {
    if (parsed.ok) return parsed.value
    report(source, parsed.fault)
    return row.default
  }

  const take = <T, D extends T | undefined>(row: EnvRow<T, D>): T | D =>
    has(row) ? orDefault(row, row.kind.parse(textOf(row)), row) : row.default

  const takeText = (row: EnvRow<string>, emptyCure?: string): string | undefined => {
    const path = take(row)
    if (path === undefined) return undefined
    const found = read(path, readFile, emptyCure)
    if (typeof found === 'string') return found
    report(row, found)
    return undefined
  }

  return {
    problems,
    has,
    take,
    takeFile: (row) => takeText(row)?.trim(),
    report,
    takeSecret(row, fileRow, form) {
      if (has(row) && has(fileRow)) {
        report(fileRow, { wrong: `is set, and ${row.name} too`, cure: `Set one of the two and unset the other.` })
        return row.default
      }
      const text = takeText(fileRow, form?.emptyCure)
      if (text === undefined) return take(row)
      return orDefault(row, form?.parse(text) ?? row.kind.parse(text.trim()), fileRow)
    },
  }
}

function read(
  path: string,
  readFile: (path: string) => string,
  emptyCure = 'Write the value into it.',
): string | Fault {
  let text: string
  try {
    text = readFile(path)
  } catch (error) {
    return unreadable(path, error)
  }
  return text.trim() === '' ? { wrong: `names an empty file${shown(path)}`, cure: emptyCure } : text
}

function unreadable(path: string, error: unknown): Fault {
  // Only the code: a message repeats the path, which may be a key that was put in the wrong variable.
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  const cures = new Map([
    ['ENOENT', 'Check the path, and that the secret is mounted; it takes the path of a file, not the value itself.'],
    ['EACCES', 'Let the user that runs NexCode read it (chmod or chown).'],
    ['EISDIR', 'Name the file, not its folder.'],
  ])
  return {
    wrong: `names a file that cannot be read${shown(path)}: ${shownCode(code)}`,
    cure: cures.get(code) ?? 'Name a file that the user who runs NexCode can read.',
  }
}

function shownCode(code: string): string {
  const words = wordsForCode(code)
  return words === undefined ? code : `${words} (${code})`
}

/** A path is shown only where it looks like one: a text without a slash in front may be the secret itself. */
function shown(path: string): string {
  return /^(\.{0,2}\/|[a-z]:\\)[\x20-\x7e]*$/i.test(path) ? ` (${path})` : ''
}
