import { distance } from '../../formats/text/nearest.ts'
import { type Env, variableIn } from '../env-reader.ts'
import { type Fault, type Parsed, right, wrong } from '../scalar-kinds.ts'
import { type ReadFile, readNamedFile } from './named-file.ts'

/** A text in which every variable stands for its value. */
export interface Substituted {
  readonly text: string
  /** Whether a variable was in it: its text may be a secret then. */
  readonly hasVariable: boolean
  /** The name of the first one; undefined: none was in it. */
  readonly variable?: string | undefined
}

/** Puts variables into a text. */
export type Substitute = (text: string) => Parsed<Substituted>

/** `$${`, `${NAME}`, `${NAME:-default}`; both groups are absent where a `${` begins no variable. */
const PLACE = /\$\$\{|\$\{(?:([A-Za-z_]\w*)(?::-([^}]*))?\})?/g

/**
 * Makes the function that puts variables into a text: `${NAME}` and `${NAME:-default}` take from the environment, or from
 * the file that `NAME_FILE` names; `$${` is a literal `${`.
 *
 * As with the environment, spaces around a value are dropped, and an empty value counts as absent where there is
 * a default. A fault names the variable, never its value.
 */
export function createSubstitute(env: Env, readFile: ReadFile): Substitute {
  const read = (name: string, fallback: string | undefined): Parsed<string> => {
    const value = variableIn(env, name)
    if (value !== undefined && value !== '') return right(value)
    const path = variableIn(env, `${name}_FILE`) ?? ''
    if (path !== '') return inFile(name, readNamedFile(path, readFile))
    const found = fallback ?? value
    if (found !== undefined) return right(found)
    return wrong(
      `names the variable ${name}, which is not set`,
      `${meant(name, env)}Set ${name} (or ${name}_FILE), or write \${${name}:-…} with what is to stand in its place.`,
    )
  }

  return (text) => {
    let fault: Fault | undefined
    let hasVariable = false
    let variable: string | undefined
    const put = text.replace(PLACE, (place: string, name?: string, fallback?: string) => {
      if (place === '$${') return '${'
      const value = name === undefined ? NO_VARIABLE : read(name, fallback)
      hasVariable = true
      variable ??= name
      if (value.ok) return value.value
      fault ??= value.fault
      return ''
    })
    return fault === undefined ? right({ text: put, hasVariable, variable }) : { ok: false, fault }
  }
}

/** A question about a variable that is set and a letter or two off; empty: there is none. Names of variables are no secrets. */
function meant(name: string, env: Env): string {
  const near = Object.keys(env).find((other) => (env[other] ?? '') !== '' && isNear(name, other))
  return near === undefined ? '' : `Did you mean ${near}? `
}

function isNear(one: string, other: string): boolean {
  const off = distance(one.toUpperCase(), other.toUpperCase())
  return off <= 2 && off * 4 <= Math.min(one.length, other.length)
}

const NO_VARIABLE = wrong(
  'has a ${ that begins no variable',
  `Write \${NAME} or \${NAME:-default}; and $\${ where a literal \${ is meant.`,
)

function inFile(name: string, read: Parsed<string>): Parsed<string> {
  if (read.ok) return read
  return wrong(`names the variable ${name}, whose file (${name}_FILE) ${inWords(read.fault.wrong)}`, read.fault.cure)
}

/** A fault of the setting that names a file, as a fault of the file itself. */
function inWords(said: string): string {
  return said.replace('names a file that cannot be read', 'cannot be read').replace('names an empty file', 'is empty')
}
