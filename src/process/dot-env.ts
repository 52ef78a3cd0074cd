import { readFileSync, statSync } from 'node:fs'
import { type Env, variableIn } from '../config/env-reader.ts'
import { isCompiled } from './program.ts'

/** Files that a person may take for configuration, because other programs read them. */
const FILES = ['.env', '.env.local'] as const
/** A line that sets a variable. */
const SETS = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/
const NAMED_MAX = 8

/**
 * Removes the variables that the runtime has read from a `.env` in the working folder, when the program runs from source; the compiled
 * program never reads them. A person who may write into a folder must not decide where the keys of a server started there go.
 *
 * Only Linux tells a process the environment that it was started with; elsewhere `bunfig.toml` and the scripts of `package.json` turn
 * the reading off.
 */
export function forgetDotEnv(): void {
  if (isCompiled()) return
  let given: string
  try {
    given = readFileSync('/proc/self/environ', 'utf8')
  } catch {
    return
  }
  const names = new Set(given.split('\0').map((entry) => entry.slice(0, entry.indexOf('='))))
  for (const name of Object.keys(process.env)) if (!names.has(name)) delete process.env[name]
}

/**
 * Warns of a `.env` in the working folder that is not read although it sets variables that the environment does not; undefined: there is
 * none, or it sets nothing more. The warning has names only: values are secrets.
 *
 * @example
 * const warning = dotEnvWarning(process.env)
 */
export function dotEnvWarning(env: Env): string | undefined {
  for (const file of FILES) {
    if (!isFile(file)) continue
    const missed = namesIn(file)?.filter((name) => (variableIn(env, name) ?? '') === '')
    if (missed?.length === 0) continue
    const cure = `To have it read: set -a; . ./${file}; set +a (in a container: docker run --env-file ${file}).`
    return `The ${file} in this folder is not read${missed === undefined ? '' : `, and sets what is not set: ${listed(missed)}`}. ${cure}`
  }
  return undefined
}

/** Whether a path is a plain file: reading a pipe would wait for its writer. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** Lists the variables that a file sets; undefined: it can't be read. */
function namesIn(file: string): readonly string[] | undefined {
  try {
    const lines = readFileSync(file, 'utf8').split('\n')
    return [...new Set(lines.flatMap((line) => SETS.exec(line)?.[1] ?? []))]
  } catch {
    return undefined
  }
}

function listed(names: readonly string[]): string {
  const rest = names.length - NAMED_MAX
  return `${names.slice(0, NAMED_MAX).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}
